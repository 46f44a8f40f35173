"""WebP: the chunks of its RIFF file, and the texts in them.

Source: RFC 9649, sections 2 (container), 3.4 (size of lossless images); RFC 6386, 9.1 (of others).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.pictures.exif_texts import exif_texts
from kanna.pictures.limits import PIECES, TEXT
from kanna.pictures.opened import Finds, Held, Opened, Piece, Window, lying_piece
from kanna.pictures.picture import PictureText

IMAGES: Final = frozenset({"VP8 ", "VP8L", "ANMF"})


def read(file: InputFile) -> Opened:
    """Take a WebP apart.

    Raises:
        FormatError: it breaks off before the image, a text is too long, or its EXIF leads in
            circles or outside.
    """
    window, finds = Window(file), Finds(file.path)
    pieces = list(_chunks(window, finds))
    width, height = image_size(window, pieces[0])
    held = list(_texts(window, pieces, finds))
    return Opened(
        container="webp", width=width, height=height, pieces=pieces, held=held, finds=finds
    )


def image_size(window: Window, piece: Piece) -> tuple[int | None, int | None]:
    """Return width and height that the first chunk says, in pixels."""
    head = window.read(piece.body, min(10, piece.end - piece.body))
    if len(head) == 10 and piece.kind == "VP8X":
        return tuple(1 + int.from_bytes(head[at : at + 3], "little") for at in (4, 7))  # type: ignore[return-value]
    if len(head) >= 5 and piece.kind == "VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if len(head) == 10 and piece.kind == "VP8 ":
        return tuple(int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (6, 8))  # type: ignore[return-value]
    return None, None


def _chunks(window: Window, finds: Finds) -> Iterator[Piece]:
    path, offset, image = window.file.path, 12, False
    said = 8 + window.number("<I", 4)
    end = min(said, window.size)
    for _ in range(PIECES):
        if offset == said and image:
            return
        piece = _chunk(window, offset, end)
        if piece is None or piece.end > window.size:
            if image:
                finds.tail(offset)
                return
            if piece is not None:
                raise lying_piece(window.file, piece)
            raise FormatError("pictures.ends_before_image", path=path, offset=offset)
        yield piece
        image = image or piece.kind in IMAGES
        offset = min(piece.end + (piece.end & 1), end)
    raise FormatError("pictures.too_many_pieces", path=path, limit=PIECES)


def _chunk(window: Window, offset: int, end: int) -> Piece | None:
    if offset + 8 > end:
        return None
    kind = window.read(offset, 4)
    if not (kind.isascii() and kind.decode().isprintable()):
        return None
    length = window.number("<I", offset + 4)
    return Piece(kind.decode(), offset, offset + 8, offset + 8 + length)


def _texts(window: Window, pieces: list[Piece], finds: Finds) -> Iterator[Held]:
    allowance, behind = finds.allowance, False
    for piece in pieces:
        behind = behind or piece.kind in IMAGES
        if piece.kind not in {"EXIF", "XMP "}:
            continue
        length = piece.end - piece.body
        if length > TEXT:
            allowance.take(piece.kind, length)
        body = window.read(piece.body, length)
        if piece.kind == "EXIF":
            yield from exif_texts(body, piece, finds, after_data=behind)
            continue
        allowance.take("XMP", length)
        text = body.decode("utf-8", "replace")
        yield Held(PictureText(place="xmp", keyword="", text=text, after_data=behind), piece)
