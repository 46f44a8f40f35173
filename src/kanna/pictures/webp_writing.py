"""WebP with other texts: EXIF and XMP chunks are replaced, all others stay byte for byte.

A simple file, which is only an image, becomes an extended one: metadata needs its flags.
Source: RFC 9649, 2.6 and 2.7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from kanna.disk import InputFile
from kanna.pictures.changes import Changes, Patch
from kanna.pictures.exif_writing import edited_blocks, new_block
from kanna.pictures.opened import Opened, Piece

PLACES: Final = frozenset({"exif", "xmp"})
_IMAGE: Final = frozenset({"VP8 ", "VP8L", "ALPH", "ANIM", "ANMF"})
_FLAGS: Final = {"EXIF": 0x08, "XMP ": 0x04}
_ALPHA: Final = 0x10


def patches(file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
    """Return what has to be patched in a WebP, its flags and its size included."""
    replaced = dict(_replaced(opened, changes))
    for piece, new in replaced.items():
        yield Patch(piece.start, _padded(file, piece), new)
    added = dict(_added(opened, changes))
    end = _padded(file, opened.pieces[-1])
    yield Patch(end, end, b"\0" * (end & 1 and bool(added)) + b"".join(added.values()))
    gone = {piece for piece, new in replaced.items() if not new}
    kinds = {one.kind for one in opened.pieces if one not in gone} | added.keys()
    head = _head(file, opened, kinds)
    if head:
        yield head
    grown = sum(len(new) - (_padded(file, one) - one.start) for one, new in replaced.items())
    grown += sum(map(len, added.values())) + (end & 1 and bool(added))
    grown += len(head.new) - (head.end - head.start) if head else 0
    said = int.from_bytes(file.read(4, 4), "little")
    size = max(said, end - 8) + grown  # its last chunk may be longer than the file says to be
    yield Patch(4, 8, size.to_bytes(4, "little"))


def image_runs(file: InputFile, opened: Opened) -> Iterator[tuple[int, int]]:
    """Return start and end of everything in a WebP that makes its pixels."""
    del file
    return ((one.start, one.end) for one in opened.pieces if one.kind in _IMAGE)


def _replaced(opened: Opened, changes: Changes) -> Iterator[tuple[Piece, bytes]]:
    for number, text in changes.changed.items():
        held = opened.held[number]
        if held.text.place == "xmp":
            yield held.piece, b"" if text is None else _chunk("XMP ", text.text.encode())
    for block, exif in edited_blocks(opened, changes):
        yield block.piece, b"" if exif is None else _chunk("EXIF", block.prefix + exif)
    if changes.bare:
        yield from ((one, b"") for one in opened.finds.broken)
    if changes.stripped:
        yield from ((one, b"") for one in opened.pieces if one.kind == "C2PA")


def _added(opened: Opened, changes: Changes) -> Iterator[tuple[str, bytes]]:
    if exif := new_block(opened, changes):
        yield "EXIF", _chunk("EXIF", exif)
    for text in changes.added_in("xmp"):
        yield "XMP ", _chunk("XMP ", text.text.encode())


def _head(file: InputFile, opened: Opened, kinds: set[str]) -> Patch | None:
    """Return the patch of the flags, or of a whole first chunk with them."""
    first = opened.pieces[0]
    flags = sum(flag for kind, flag in _FLAGS.items() if kind in kinds)
    if first.kind == "VP8X":
        (old,) = file.read(first.body, 1)
        return Patch(first.body, first.body + 1, bytes([old & ~0x0C | flags]))
    if not flags:
        return None
    if first.kind == "VP8L" and file.read(first.body + 4, 1)[0] & 0x10:
        flags |= _ALPHA
    size = b"".join(((n or 1) - 1).to_bytes(3, "little") for n in (opened.width, opened.height))
    return Patch(12, 12, _chunk("VP8X", struct.pack("<I", flags) + size))


def _padded(file: InputFile, piece: Piece) -> int:
    return min(piece.end + (piece.end & 1), file.size)


def _chunk(kind: str, body: bytes) -> bytes:
    return kind.encode() + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
