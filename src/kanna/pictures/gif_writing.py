"""GIF with other texts: comments and XMP that change are replaced, all else stays byte for byte.

New comments stand before the first image, where Pillow writes and reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.disk import InputFile
from kanna.pictures.changes import Changes, Patch
from kanna.pictures.gif import XMP, XMP_END
from kanna.pictures.opened import Opened
from kanna.pictures.picture import PictureText

PLACES: Final = frozenset({"comment", "xmp"})


def patches(file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
    """Return what has to be patched in a GIF."""
    del file
    for number, text in changes.changed.items():
        piece = opened.held[number].piece
        yield Patch(piece.start, piece.end, b"" if text is None else _block(text))
    if changes.added:
        yield Patch(3, 6, b"89a")  # the version that knows comments
        others = (one.start for one in opened.pieces if one.kind != "application")
        front = next(others)
        yield Patch(front, front, b"".join(map(_block, changes.added)))


def image_runs(file: InputFile, opened: Opened) -> Iterator[tuple[int, int]]:
    """Return start and end of everything in a GIF that makes its pixels."""
    del file
    yield 6, opened.pieces[0].start
    for piece in opened.pieces:
        if piece.kind not in {"comment", "xmp"}:
            yield piece.start, piece.end


def _block(text: PictureText) -> bytes:
    raw = text.text.encode()
    if text.place == "xmp":
        return b"!\xff" + XMP + raw + b"\x01" + XMP_END + b"\0"
    parts = (raw[at : at + 255] for at in range(0, len(raw), 255))
    return b"!\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
