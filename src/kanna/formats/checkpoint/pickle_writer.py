"""Plain data to a protocol 2 pickle, as bytes: what `torch.load(weights_only=True)` accepts.

Opcodes: CPython `pickletools.opcodes`. Nothing here can express code: the only globals are the ones
that a caller writes as `Global`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kanna.errors import Incompatible
from kanna.formats.layout import check_text

_MAX_DEPTH: Final = 50  # readers recurse too
_MAX_INT: Final = 255  # bytes: torch reads no longer ones


@dataclass(frozen=True, slots=True)
class Global:
    """A name that the reader looks up in its list of allowed names."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a global makes of arguments, with entries set on it afterwards if there are any."""

    function: Global
    arguments: tuple[object, ...]
    entries: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Persistent:
    """A reference to data beside the pickle."""

    key: tuple[object, ...]


def write(value: object) -> bytes:
    """Return the pickle of `value`.

    Raises:
        Incompatible: something in it is no plain data, or is nested too deeply.
    """
    return b"".join((b"\x80\x02", *_emit(value, 0), b"."))


def _emit(value: object, depth: int) -> Iterator[bytes]:
    writer = _WRITERS.get(type(value))
    if writer is None or depth > _MAX_DEPTH:
        raise Incompatible("layout.not_plain", kind=type(value).__name__)
    yield from writer(value, depth + 1)


def _none(_value: None, _depth: int) -> Iterator[bytes]:
    yield b"N"


def _bool(value: bool, _depth: int) -> Iterator[bytes]:  # noqa: FBT001 - the value itself
    yield b"\x88" if value else b"\x89"


def _int(value: int, _depth: int) -> Iterator[bytes]:
    if 0 <= value < 1 << 8:
        yield struct.pack("<cB", b"K", value)
    elif -1 << 31 <= value < 1 << 31:
        yield struct.pack("<ci", b"J", value)
    else:
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        if len(data) > _MAX_INT:
            raise Incompatible("layout.not_plain", kind="int")
        yield struct.pack("<cB", b"\x8a", len(data)) + data


def _float(value: float, _depth: int) -> Iterator[bytes]:
    yield struct.pack(">cd", b"G", value)


def _str(value: str, _depth: int) -> Iterator[bytes]:
    check_text(value)
    data = value.encode()
    yield struct.pack("<cI", b"X", len(data)) + data


def _tuple(value: tuple[object, ...], depth: int) -> Iterator[bytes]:
    if not value:
        yield b")"
        return
    yield b"("
    for item in value:
        yield from _emit(item, depth)
    yield b"t"


def _list(value: list[object], depth: int) -> Iterator[bytes]:
    yield b"]("
    for item in value:
        yield from _emit(item, depth)
    yield b"e"


def _dict(value: dict[object, object], depth: int) -> Iterator[bytes]:
    yield b"}"
    yield from _entries(value, depth)


def _entries(value: Mapping[Any, object], depth: int) -> Iterator[bytes]:
    yield b"("
    for name, item in value.items():
        yield from _emit(name, depth)
        yield from _emit(item, depth)
    yield b"u"


def _global(value: Global, _depth: int) -> Iterator[bytes]:
    yield f"c{value.module}\n{value.name}\n".encode("ascii")


def _call(value: Call, depth: int) -> Iterator[bytes]:
    yield from _global(value.function, depth)
    yield from _tuple(value.arguments, depth)
    yield b"R"
    if value.entries is not None:
        yield from _entries(value.entries, depth)


def _persistent(value: Persistent, depth: int) -> Iterator[bytes]:
    yield from _tuple(value.key, depth)
    yield b"Q"


# By exact type: a subclass may hold more than its plain part shows.
_WRITERS: Final[dict[type, Callable[..., Iterator[bytes]]]] = {
    type(None): _none,
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    tuple: _tuple,
    list: _list,
    dict: _dict,
    Global: _global,
    Call: _call,
    Persistent: _persistent,
}
