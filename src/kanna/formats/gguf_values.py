"""The keys and values at the head of a GGUF file."""

from __future__ import annotations

import json
import struct
from typing import Final

from kanna.disk import InputFile
from kanna.errors import FormatError

ORIGINAL_SHAPE: Final = "comfy.gguf.orig_shape."  # before the name of a tensor that was folded
_WINDOW: Final = 1 << 18
HEADER_LIMIT: Final = 100_000_000
_STRINGS_LIMIT: Final = 2_000_000  # the longest vocabularies have some hundred thousand
_SHOWN_ITEMS: Final = 64  # longer arrays are such vocabularies and are no metadata to people
_STRING: Final = 8
_ARRAY: Final = 9
_BOOL: Final = 7
# Type numbers of the format and their `struct` codes.
_NUMBERS: Final = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", _BOOL: "B", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip

Value = str | int | float | bool | list["Value"] | None


class Cursor:
    """Reads a header from front to back; no length is believed before it was held to the file."""

    __slots__ = ("_start", "_window", "file", "position")

    def __init__(self, file: InputFile) -> None:
        """Stand at the first byte of `file`."""
        self.file = file
        self.position = 0
        self._window = b""
        self._start = 0

    def need(self, nbytes: int) -> None:
        """Check that `nbytes` more can be part of the header.

        Raises:
            FormatError: the file ends before, or no header is that long.
        """
        if self.position + nbytes > min(self.file.size, HEADER_LIMIT):
            raise FormatError(
                "formats.gguf_cut", path=self.file.path, offset=self.position, need=nbytes
            )

    def take(self, nbytes: int) -> bytes:
        """Return the next `nbytes` and go past them."""
        self.need(nbytes)
        begin = self.position - self._start
        if begin + nbytes > len(self._window):
            length = min(max(nbytes, _WINDOW), self.file.size - self.position)
            self._window = self.file.read(self.position, length)
            self._start, begin = self.position, 0
        self.position += nbytes
        return self._window[begin : begin + nbytes]

    def skip(self, nbytes: int) -> None:
        """Go past the next `nbytes`."""
        self.need(nbytes)
        self.position += nbytes

    def integer(self, code: str) -> int:
        """Return the next integer, of `struct` type `code`."""
        value: int = struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0]
        return value

    def text(self) -> str:
        """Return the next string."""
        raw = self.take(self.integer("Q"))
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise FormatError("formats.gguf_text", path=self.file.path) from error


def read_value(cursor: Cursor) -> Value:
    """Read a type number and the value after it; None stands for a long array.

    Raises:
        FormatError: the value breaks the rules of the format.
    """
    kind = cursor.integer("I")
    return _array(cursor) if kind == _ARRAY else _scalar(cursor, kind)


def as_text(value: Value) -> str:
    """Return `value` as metadata text: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _scalar(cursor: Cursor, kind: int) -> Value:
    if kind == _STRING:
        return cursor.text()
    code = _number_code(cursor, kind)
    value: int | float = struct.unpack(f"<{code}", cursor.take(struct.calcsize(code)))[0]
    if kind != _BOOL:
        return value
    if value > 1:
        raise FormatError("formats.gguf_bool", path=cursor.file.path, value=value)
    return bool(value)


def _array(cursor: Cursor) -> Value:
    kind, count = cursor.integer("I"), cursor.integer("Q")
    width = 8 if kind == _STRING else struct.calcsize(_number_code(cursor, kind))
    cursor.need(count * width)
    if count <= _SHOWN_ITEMS:
        return [_scalar(cursor, kind) for _ in range(count)]
    if kind != _STRING:
        cursor.skip(count * width)
        return None
    if count > _STRINGS_LIMIT:
        raise FormatError("formats.gguf_count", path=cursor.file.path, count=count)
    for _ in range(count):
        cursor.skip(cursor.integer("Q"))
    return None


def _number_code(cursor: Cursor, kind: int) -> str:
    # Arrays of arrays end here too: ggml's own reader refuses them as well.
    if kind not in _NUMBERS:
        raise FormatError("formats.gguf_value_type", path=cursor.file.path, type=kind)
    return _NUMBERS[kind]
