"""The opcodes that push a number, a text or bytes, with lengths checked before anything is made."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint.pickle_machine import (
    BUDGET,
    MAX_INT_BYTES,
    MAX_STRING,
    Broken,
    Machine,
    Truncated,
)
from kanna.formats.checkpoint.pickle_text import (
    decode_py2,
    parse_float,
    parse_int,
    parse_long,
    unquote,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Opcode = Callable[[Machine, int], int]

_u16: Final = struct.Struct("<H").unpack_from
_u32: Final = struct.Struct("<I").unpack_from
_i32: Final = struct.Struct("<i").unpack_from
_u64: Final = struct.Struct("<Q").unpack_from
_f64: Final = struct.Struct(">d").unpack_from


def _constant(value: object) -> Opcode:
    def push(vm: Machine, at: int) -> int:
        vm.stack.append(value)
        return at

    return push


def _binint(vm: Machine, at: int) -> int:
    vm.stack.append(_i32(vm.data, at)[0])
    return at + 4


def _binint1(vm: Machine, at: int) -> int:
    vm.stack.append(vm.data[at])
    return at + 1


def _binint2(vm: Machine, at: int) -> int:
    vm.stack.append(_u16(vm.data, at)[0])
    return at + 2


def _binfloat(vm: Machine, at: int) -> int:
    vm.stack.append(_f64(vm.data, at)[0])
    return at + 8


def _long1(vm: Machine, at: int) -> int:
    return _long(vm, at + 1, vm.data[at])


def _long4(vm: Machine, at: int) -> int:
    return _long(vm, at + 4, _i32(vm.data, at)[0])


def _long(vm: Machine, at: int, size: int) -> int:
    if not 0 <= size <= MAX_INT_BYTES:
        raise Broken(BUDGET)
    end = _end(vm, at, size)
    vm.stack.append(int.from_bytes(vm.data[at:end], "little", signed=True))
    return end


def _end(vm: Machine, at: int, size: int) -> int:
    """Return the end of an argument of `size` bytes, known to lie inside the stream."""
    if size > MAX_STRING:
        raise Broken(BUDGET)
    if at + size > vm.size:
        raise Truncated
    return at + size


def read_line(vm: Machine, at: int) -> bytes:
    """Return the argument that ends at the next line break."""
    end = vm.data.find(b"\n", at, at + MAX_STRING)
    if end < 0:
        raise Truncated if vm.size - at < MAX_STRING else Broken(BUDGET)
    return vm.data[at:end]


def _from_line(parse: Callable[[bytes], object]) -> Opcode:
    def push(vm: Machine, at: int) -> int:
        line = read_line(vm, at)
        vm.stack.append(parse(line))
        return at + len(line) + 1

    return push


def _unicode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _sized(width: int, make: Callable[[bytes], object]) -> Opcode:
    unpack = {4: _u32, 8: _u64}[width]

    def push(vm: Machine, at: int) -> int:
        start = at + width
        end = _end(vm, start, unpack(vm.data, at)[0])
        vm.stack.append(make(vm.data[start:end]))
        return end

    return push


def _short(make: Callable[[bytes], object]) -> Opcode:
    def push(vm: Machine, at: int) -> int:
        end = _end(vm, at + 1, vm.data[at])
        vm.stack.append(make(vm.data[at + 1 : end]))
        return end

    return push


SCALARS: Final[dict[bytes, Opcode]] = {
    b"N": _constant(None), b"\x88": _constant(True), b"\x89": _constant(False),  # noqa: FBT003
    b"I": _from_line(parse_int), b"L": _from_line(parse_long), b"F": _from_line(parse_float),
    b"J": _binint, b"K": _binint1, b"M": _binint2, b"\x8a": _long1, b"\x8b": _long4,
    b"G": _binfloat,
    b"S": _from_line(unquote), b"T": _sized(4, decode_py2), b"U": _short(decode_py2),
    b"V": _from_line(lambda line: line.decode("raw-unicode-escape")),
    b"X": _sized(4, _unicode), b"\x8c": _short(_unicode), b"\x8d": _sized(8, _unicode),
    b"B": _sized(4, bytes), b"C": _short(bytes), b"\x8e": _sized(8, bytes),
    b"\x96": _sized(8, bytearray),
}  # fmt: skip
