"""Boxes, of which AVIF and HEIF files are made, and the numbers in them.

Source: ISO/IEC 14496-12 (2022), 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

MOST: Final = 65536  # boxes, items or extents


class BrokenTable(Exception):
    """A table ends before its own numbers say."""


class Box(NamedTuple):
    """A box in `data`: its kind, and where it, its content and its end are."""

    kind: str
    start: int
    body: int
    end: int


class Fields:
    """Numbers of any width, one after another."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        """Begin at `at`."""
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def number(self, width: int) -> int:
        """Take the next `width` bytes."""
        return int.from_bytes(self.raw(width), "big")

    def raw(self, width: int) -> bytes:
        """Take the next `width` bytes as they are.

        Raises:
            BrokenTable: there are not so many.
        """
        if self.at + width > self.end:
            raise BrokenTable
        self.at += width
        return self.data[self.at - width : self.at]

    def text(self) -> str:
        """Take a text that ends with a zero, or with the data."""
        end = self.data.find(b"\0", self.at, self.end)
        raw = self.data[self.at : self.end if end < 0 else end]
        self.at += len(raw) + 1
        return raw.decode("utf-8", "replace")


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """Return the boxes between two places.

    Raises:
        BrokenTable: one is longer than what it is in.
    """
    for _ in range(MOST):
        if at + 8 > end:
            return
        box = box_at(data[at : at + 16], at, end)
        if box.end > end:
            raise BrokenTable
        yield box
        at = box.end
    raise BrokenTable


def box_at(head: bytes, at: int, end: int) -> Box:
    """Return the box whose first 16 bytes are `head`; it may go on to `end`.

    Raises:
        BrokenTable: it is shorter than its own head.
    """
    size, kind, body = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1"), at + 8
    if size == 1:
        size, body = int.from_bytes(head[8:16], "big"), at + 16
    elif size == 0:
        size = end - at
    if at + size < body:
        raise BrokenTable
    return Box(kind, at, body, at + size)
