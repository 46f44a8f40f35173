"""Values of GGUF with their types, as they stand in a file: for writing, and for copying whole.

Source: docs/gguf.md of the ggml project, ``enum gguf_metadata_value_type``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kanna.disk import InputFile
from kanna.formats.gguf_values import Cursor, Value, as_text, read_value

_U32: Final = 4
_I32: Final = 5
_STRING: Final = 8
_ARRAY: Final = 9


@dataclass(frozen=True, slots=True)
class Typed:
    """One value: its type's number, its bytes as they stand after that number, what they mean.

    `value` is what the reader makes of it: None for a long array, which it does not show.
    """

    kind: int
    raw: bytes
    value: Value

    @property
    def encoded(self) -> bytes:
        """Number and value."""
        return struct.pack("<I", self.kind) + self.raw

    @property
    def text(self) -> str | None:
        """The value as metadata text, as the reader tells it."""
        return None if self.value is None else as_text(self.value)


def typed_values(file: InputFile) -> dict[str, Typed]:
    """Return all values of a GGUF that was opened before, vocabularies too, as they stand in it.

    Raises:
        FormatError: the file changed since.
    """
    cursor = Cursor(file)
    cursor.skip(16)  # the magic, the version and the number of tensors
    found = {}
    for _ in range(cursor.integer("Q")):
        key, start = cursor.text(), cursor.position
        value = read_value(cursor)
        raw = file.read(start, cursor.position - start)
        found[key] = Typed(int.from_bytes(raw[:4], "little"), raw[4:], value)
    return found


def u32(number: int) -> Typed:
    """Return a whole number of 32 bits without sign."""
    return Typed(_U32, struct.pack("<I", number), number)


def string(text: str) -> Typed:
    """Return a text."""
    return Typed(_STRING, string_bytes(text), text)


def i32_array(numbers: Sequence[int]) -> Typed:
    """Return a list of whole numbers of 32 bits."""
    head = struct.pack("<IQ", _I32, len(numbers))
    raw = head + struct.pack(f"<{len(numbers)}i", *numbers)
    return Typed(_ARRAY, raw, list[Value](numbers))


def string_bytes(text: str) -> bytes:
    """Return a text as keys and names stand in a file: its length, then its bytes."""
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw
