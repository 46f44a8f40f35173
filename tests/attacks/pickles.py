"""A pickle assembler: writes any stream of opcodes, also such as no program would write."""

from __future__ import annotations

import struct
from math import prod

PROTO2 = b"\x80\x02"
MARK = b"("


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    size = (value.bit_length() + 8) // 8
    return b"\x8a" + bytes((size,)) + value.to_bytes(size, "little", signed=True)


def value(item: object) -> bytes:
    """Assemble plain data; bytes pass through, as code assembled already."""
    match item:
        case bytes():
            return item
        case None:
            return b"N"
        case bool():
            return b"\x88" if item else b"\x89"
        case int():
            return number(item)
        case float():
            return b"G" + struct.pack(">d", item)
        case str():
            return text(item)
        case tuple():
            return MARK + b"".join(map(value, item)) + b"t"
        case list():
            return b"]" + MARK + b"".join(map(value, item)) + b"e"
        case dict():
            pairs = (value(part) for pair in item.items() for part in pair)
            return b"}" + MARK + b"".join(pairs) + b"u"
    raise TypeError(item)


def name(module: str, attribute: str) -> bytes:
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def call(module: str, attribute: str, *arguments: object) -> bytes:
    return name(module, attribute) + value(tuple(arguments)) + b"R"


def stream(item: object) -> bytes:
    return PROTO2 + value(item) + b"."


def storage(key: object, numel: object, kind: str = "FloatStorage", module: str = "torch") -> bytes:
    return value(("storage", name(module, kind), key, "cpu", numel)) + b"Q"


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def tensor(
    key: str,
    shape: tuple[int, ...] = (2, 3),
    *,
    kind: str = "FloatStorage",
    storage_code: bytes | None = None,
    offset: object = 0,
    size: object = None,
    stride: object = None,
    more: tuple[object, ...] = (),
) -> bytes:
    """Assemble a rebuild call; every number can be made a lie."""
    return call(
        "torch._utils",
        "_rebuild_tensor_v2",
        storage_code or storage(key, prod(shape), kind),
        offset,
        shape if size is None else size,
        contiguous(shape) if stride is None else stride,
        False,  # noqa: FBT003
        name("collections", "OrderedDict") + b")R",
        *more,
    )
