"""JPEG with other texts: segments that change are replaced, all others stay byte for byte.

New EXIF stands before everything but JFIF's own segment, where piexif and Pillow put it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.disk import InputFile
from kanna.errors import Incompatible
from kanna.pictures.changes import Changes, Patch
from kanna.pictures.exif import PREFIX
from kanna.pictures.exif_writing import edited_blocks, new_block
from kanna.pictures.jpeg import XMP
from kanna.pictures.opened import Held, Opened
from kanna.pictures.picture import PictureText

PLACES: Final = frozenset({"exif", "xmp", "comment"})
_LONGEST: Final = 65533  # bytes of a segment
_ABOUT: Final = frozenset({"EB", "ED"})  # C2PA: who and what made it; IPTC and Photoshop's
_APPLICATIONS: Final = frozenset({"APP0", "APP1", *(f"{code:02X}" for code in range(0xE2, 0xF0))})


def patches(file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
    """Return what has to be patched in a JPEG.

    Raises:
        Incompatible: a text is longer than a segment can be, or XMP has a second part.
    """
    for number, text in changes.changed.items():
        held = opened.held[number]
        if held.text.place != "exif":
            yield from _replaced(file, held, text)
    for block, exif in edited_blocks(opened, changes):
        new = b"" if exif is None else _segment(file, 0xE1, block.prefix + exif)
        yield Patch(block.piece.start, block.piece.end, new)
    if changes.bare:
        yield from (Patch(one.start, one.end, b"") for one in opened.finds.broken)
    if changes.stripped:
        about = (one for one in opened.pieces if one.kind in _ABOUT)
        yield from (Patch(one.start, one.end, b"") for one in about)
    yield from _added(file, opened, changes)


def image_runs(file: InputFile, opened: Opened) -> Iterator[tuple[int, int]]:
    """Return start and end of everything in a JPEG that makes its pixels."""
    for piece in opened.pieces:
        if piece.kind == "SOS":
            yield piece.start, file.size
        elif piece.kind not in _APPLICATIONS and piece.kind != "COM":
            yield piece.start, piece.end


def _replaced(file: InputFile, held: Held, text: PictureText | None) -> Iterator[Patch]:
    parts = held.how if isinstance(held.how, list) else [held.piece]
    if text is not None and len(parts) > 1:
        raise Incompatible("pictures.long_xmp", path=file.path)
    new = b"" if text is None else _text(file, text)
    yield from (Patch(part.start, part.end, new) for part in parts)


def _added(file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
    pieces = iter(opened.pieces)
    front = behind = 2
    for piece in pieces:
        if piece.kind not in _APPLICATIONS:
            break
        behind = piece.end
        front = piece.end if piece.kind == "APP0" and front == piece.start else front
    if exif := new_block(opened, changes):
        yield Patch(front, front, _segment(file, 0xE1, PREFIX + exif))
    for text in changes.added_in("xmp"):
        yield Patch(front, front, _text(file, text))
    for text in changes.added_in("comment"):
        yield Patch(behind, behind, _text(file, text))


def _text(file: InputFile, text: PictureText) -> bytes:
    raw = text.text.encode()
    return _segment(file, 0xFE, raw) if text.place == "comment" else _segment(file, 0xE1, XMP + raw)


def _segment(file: InputFile, code: int, body: bytes) -> bytes:
    if len(body) > _LONGEST:
        raise Incompatible("pictures.too_long_for_jpeg", path=file.path, size=len(body))
    return bytes([0xFF, code]) + (len(body) + 2).to_bytes(2, "big") + body
