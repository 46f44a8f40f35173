"""Pictures without the text that is hidden in their pixels."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kanna.disk import InputFile, open_input
from kanna.errors import FormatError
from kanna.model import Note
from kanna.pictures.changes import Patch, patched
from kanna.pictures.held_bytes import HeldBytes
from kanna.pictures.opened import Opened
from kanna.pictures.opening import take_apart
from kanna.pictures.picture import Container

if TYPE_CHECKING:
    from PIL.Image import Image

_IMAGE: Final[Mapping[Container, frozenset[str]]] = {
    "png": frozenset({"IHDR", "IDAT"}),
    "webp": frozenset({"VP8L"}),
}


def without_stealth(path: str | os.PathLike[str]) -> bytes:
    """Return the picture at `path` without text in its pixels; one that has none as it is.

    The image is packed anew, with the lowest bits of all alpha set, or those of red, green and blue
    cleared as far as the text goes. Every other chunk stays as it is.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: the picture cannot be read, or its image: it has more than 100 megapixels, or
            it is damaged.
    """
    with closing(open_input(path)) as file:
        return revealed(file)


def revealed(file: InputFile) -> bytes:
    """Return the picture in an open `file` without hidden text, as `without_stealth` does."""
    from kanna.pictures.stealth import MOST_PIXELS, covered, pixels

    opened, data = take_apart(file), file.read(0, file.size)
    image = pixels(file, opened)
    if isinstance(image, Note):
        limit = MOST_PIXELS // 1_000_000
        raise FormatError("pictures.undecodable", path=file.path, limit=limit)
    if image is None or not (bits := covered(image)):
        return data
    made = _packed(_cleared(image, bits), opened)
    return patched(data, _patches(data, opened, made))


def _cleared(image: Image, bits: Mapping[str, int]) -> Image:
    if "RGB" in bits:
        columns = -(-bits["RGB"] // (3 * image.height))
        box = (0, 0, columns, image.height)
        keeps = [value & 0xFE for value in range(256)] * 3
        keeps += list(range(256)) * (len(image.getbands()) - 3)
        image.paste(image.crop(box).point(keeps), box)
    if "A" in bits:
        image.putalpha(image.getchannel("A").point([value | 1 for value in range(256)]))
    return image


def _packed(image: Image, opened: Opened) -> bytes:
    out = io.BytesIO()
    if opened.container == "webp":
        image.save(out, "WEBP", lossless=True, exact=True)
    else:
        image.save(out, "PNG")
    return out.getvalue()


def _patches(data: bytes, opened: Opened, made: bytes) -> Iterator[Patch]:
    """Return the patches that put the image of `made` in the place of that of the old file."""
    new = dict[str, bytes]()
    for piece in take_apart(HeldBytes(made, Path("made"))).pieces:
        end = piece.end + (piece.end & 1 if opened.container == "webp" else 0)
        new[piece.kind] = new.get(piece.kind, b"") + made[piece.start : end]
    grown = 0
    for piece in opened.pieces:
        if piece.kind in _IMAGE[opened.container]:
            end = piece.end + (piece.end & 1 if opened.container == "webp" else 0)
            bytes_now = new.pop(piece.kind, b"")
            grown += len(bytes_now) - (end - piece.start)
            yield Patch(piece.start, end, bytes_now)
    if opened.container == "webp":
        (size,) = struct.unpack_from("<I", data, 4)
        yield Patch(4, 8, struct.pack("<I", size + grown))
