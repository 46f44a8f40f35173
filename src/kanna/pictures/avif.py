"""AVIF and HEIF: the boxes of the file, and the texts in its Exif and XMP items.

Sources: ISO/IEC 14496-12; ISO/IEC 23008-12 annex A (Exif and XMP items), AV1 Image File Format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.pictures.avif_meta import Item, Location, Meta, read_meta
from kanna.pictures.boxes import Box, BrokenTable, box_at
from kanna.pictures.exif_texts import exif_texts
from kanna.pictures.limits import TEXT, Allowance
from kanna.pictures.opened import Finds, Held, Opened, Piece, Window, lying_piece
from kanna.pictures.picture import PictureText

XMP_TYPE: Final = "application/rdf+xml"
_MOST: Final = 4096  # boxes of the file
_LONGEST_META: Final = 4 << 20


class Parts(NamedTuple):
    """The item that holds a text, in which tables, and where its bytes lie."""

    item: Item
    meta: Meta
    meta_at: int
    where: Location | None


def read(file: InputFile) -> Opened:
    """Take an AVIF or HEIF apart.

    Raises:
        FormatError: it has no table of items, or one that leads outside; a text is too long.
    """
    window, finds = Window(file), Finds(file.path)
    pieces = list(_boxes(window, finds))
    box = next((one for one in pieces if one.kind == "meta"), None)
    if box is None:
        raise FormatError("pictures.ends_before_image", path=file.path, offset=pieces[-1].end)
    if box.end - box.start > _LONGEST_META:
        raise FormatError("pictures.meta_broken", path=file.path)
    try:
        meta = read_meta(window.read(box.start, box.end - box.start))
    except BrokenTable:
        raise FormatError("pictures.meta_broken", path=file.path) from None
    held = list(_texts(window, meta, box, finds))
    width, height = meta.size or (None, None)
    return Opened(
        container="avif", width=width, height=height, pieces=pieces, held=held, finds=finds
    )


def _boxes(window: Window, finds: Finds) -> Iterator[Piece]:
    at, path, known = 0, window.file.path, False
    for _ in range(_MOST):
        if at + 8 > window.size:
            return
        try:
            head = window.read(at, min(16, window.size - at))
            piece = Piece(*box_at(head, at, window.size))
        except BrokenTable:
            piece = None
        if piece is None or piece.end > window.size:
            if known:
                finds.tail(at)
                return
            raise (
                lying_piece(window.file, piece)
                if piece
                else FormatError("pictures.ends_before_image", path=path, offset=at)
            )
        yield piece
        known = known or piece.kind == "meta"
        at = piece.end
    raise FormatError("pictures.too_many_pieces", path=path, limit=_MOST)


def _texts(window: Window, meta: Meta, box: Piece, finds: Finds) -> Iterator[Held]:
    places = {row.item: row for row in meta.locations.rows}
    for item in meta.items:
        if item.type != "Exif" and item.content_type != XMP_TYPE:
            continue
        parts = Parts(item, meta, box.start, places.get(item.number))
        piece = Piece(item.type, box.start, box.body, box.end)
        raw = _content(window, parts, finds.allowance)
        if raw is None:
            finds.unread("pictures.broken_text", piece)
        elif item.type == "Exif":
            yield from _exif(raw, piece, parts, finds)
        else:
            finds.allowance.take("XMP", len(raw))
            text = PictureText(place="xmp", keyword="", text=raw.decode("utf-8", "replace"))
            yield Held(text, piece, parts)


def _exif(raw: bytes, piece: Piece, parts: Parts, finds: Finds) -> Iterator[Held]:
    """Return the texts of an Exif item, which begins with how far its TIFF header is away."""
    start = 4 + int.from_bytes(raw[:4], "big")
    yield from exif_texts(raw[start:], piece, finds, prefix=raw[:start], inside=parts)


def item_bytes(window: Window, parts: Parts) -> Iterator[tuple[int, int]]:
    """Return start and end of each run of an item's bytes in the file.

    Raises:
        BrokenTable: the runs lie outside of the file, or in another one.
    """
    where = parts.where
    if where is None or where.reference or where.method > 1:
        raise BrokenTable
    begin, end = _space(window, parts, where)
    for extent in where.extents:
        start = begin + where.base + extent.offset
        stop = start + extent.length if extent.length else end  # 0 stands for all
        if not begin <= start <= stop <= end:
            raise BrokenTable
        yield start, stop


def _space(window: Window, parts: Parts, where: Location) -> tuple[int, int]:
    if where.method == 0:
        return 0, window.size
    inside: Box | None = parts.meta.boxes.get("idat")
    if inside is None:
        raise BrokenTable
    return parts.meta_at + inside.body, parts.meta_at + inside.end


def _content(window: Window, parts: Parts, allowance: Allowance) -> bytes | None:
    try:
        runs = list(item_bytes(window, parts))
    except BrokenTable:
        return None
    total = sum(stop - start for start, stop in runs)
    if total > TEXT:
        allowance.take(parts.item.type, total)
    return b"".join(window.read(start, stop - start) for start, stop in runs)
