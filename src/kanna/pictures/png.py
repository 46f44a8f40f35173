"""PNG: its chunks, and the texts in them, without touching the image.

Source: PNG specification (third edition), sections 5 (chunks) and 11.3.3 (text) and 11.3.4 (eXIf).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.pictures.exif_texts import exif_texts
from kanna.pictures.limits import PIECES, TEXT, Allowance
from kanna.pictures.opened import Finds, Held, Opened, Piece, Window, lying_piece
from kanna.pictures.picture import PictureText, Place

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
END: Final = b"\0\0\0\0IEND\xaeB`\x82"
XMP: Final = "XML:com.adobe.xmp"
_TEXTS: Final = frozenset({"tEXt", "zTXt", "iTXt", "eXIf"})
_FRAME: Final = 12  # bytes of a chunk around its content: length, kind, checksum


class International(NamedTuple):
    """What an iTXt chunk says beside its text."""

    compressed: bool
    language: bytes
    translated: bytes


class _Parts(NamedTuple):
    keyword: str
    text: str
    encoding: str
    how: object


def read(file: InputFile) -> Opened:
    """Take a PNG apart.

    Raises:
        FormatError: it breaks off before the image, a chunk is longer than the file, a text is too
            long, or its EXIF leads nowhere.
    """
    window, finds = Window(file), Finds(file.path)
    pieces = list(_chunks(window, finds))
    held = list(_texts(window, pieces, finds))
    width, height = struct.unpack(">II", window.read(pieces[0].body, 8))
    return Opened(
        container="png", width=width, height=height, pieces=pieces, held=held, finds=finds
    )


def decoded(raw: bytes | bytearray) -> tuple[str, str]:
    """Return the text of a tEXt or zTXt chunk and its encoding.

    It should be Latin-1; where writers have put UTF-8 there it is read as such.
    """
    try:
        return raw.decode(), "latin-1" if raw.isascii() else "utf-8"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


def _chunks(window: Window, finds: Finds) -> Iterator[Piece]:
    path, offset, kind = window.file.path, len(SIGNATURE), ""
    image = False  # whether it has begun: what is damaged behind that is told and no more
    for _ in range(PIECES):
        piece = _chunk(window, offset)
        if piece is None or piece.end > window.size:
            cut_off = piece is not None and piece.kind == "IDAT" and bool(kind)
            if piece is not None and cut_off:
                yield piece._replace(end=window.size)
            if image or cut_off:
                finds.tail(offset)
                return
            if piece is not None:
                raise lying_piece(window.file, piece, 4)
            raise FormatError("pictures.ends_before_image", path=path, offset=offset)
        if not kind and (piece.kind, piece.end - piece.body) != ("IHDR", 17):
            raise FormatError("pictures.no_size", path=path, kind=piece.kind)
        yield piece
        kind, offset = piece.kind, piece.end
        image = image or kind == "IDAT"
        if kind == "IEND" and image:
            return
    raise FormatError("pictures.too_many_pieces", path=path, limit=PIECES)


def _chunk(window: Window, offset: int) -> Piece | None:
    """Return the chunk at `offset`, its end with the checksum, or None where there is none."""
    if offset + _FRAME > window.size:
        return None
    length, name = struct.unpack(">I4s", window.read(offset, 8))
    if not (name.isascii() and name.isalpha()):
        return None
    return Piece(name.decode(), offset, offset + 8, offset + _FRAME + length)


def _texts(window: Window, pieces: list[Piece], finds: Finds) -> Iterator[Held]:
    behind = False
    for piece in pieces:
        behind = behind or piece.kind == "IDAT"
        if piece.kind in _TEXTS:
            yield from _held(window, piece, finds, behind=behind)


def _held(window: Window, piece: Piece, finds: Finds, *, behind: bool) -> Iterator[Held]:
    length = piece.end - 4 - piece.body
    if length > TEXT:
        finds.allowance.take(piece.kind, length)
    body = window.read(piece.body, length)
    if zlib.crc32(piece.kind.encode() + body) != window.number(">I", piece.end - 4):
        finds.odd("pictures.wrong_checksum", piece)
    if piece.kind == "eXIf":
        yield from exif_texts(body, piece, finds, after_data=behind)
        return
    try:
        parts = _parts(piece.kind, body, finds.allowance)
    except (ValueError, IndexError, zlib.error):
        finds.unread("pictures.broken_text", piece)
        return
    keyword, place = parts.keyword, _place(piece.kind)
    if (piece.kind, keyword) == ("iTXt", XMP):
        keyword, place = "", "xmp"
    yield Held(
        PictureText(
            place=place,
            keyword=keyword,
            text=parts.text,
            encoding=parts.encoding,
            after_data=behind,
        ),
        piece,
        parts.how,
    )


def _place(kind: str) -> Place:
    places: dict[str, Place] = {"tEXt": "tEXt", "zTXt": "zTXt", "iTXt": "iTXt"}
    return places[kind]


def _parts(kind: str, body: bytes, allowance: Allowance) -> _Parts:
    """Take a text chunk apart; ValueError, IndexError or zlib.error where it is damaged."""
    end = body.index(0)
    name, rest = body[:end].decode("latin-1"), body[end + 1 :]
    if kind == "iTXt":
        return _international(name, rest, allowance)
    if kind == "zTXt":
        if rest[0]:
            raise ValueError  # there is only one way to compress
        return _Parts(name, *decoded(allowance.inflate(name, rest[1:])), None)
    allowance.take(name, len(rest))
    return _Parts(name, *decoded(rest), None)


def _international(name: str, rest: bytes, allowance: Allowance) -> _Parts:
    compressed, method = rest[0], rest[1]
    language, translated, raw = rest[2:].split(b"\0", 2)
    if compressed > 1 or (compressed and method):
        raise ValueError
    how = International(bool(compressed), language, translated)
    if compressed:
        return _Parts(name, allowance.inflate(name, raw).decode(), "utf-8", how)
    allowance.take(name, len(raw))
    return _Parts(name, raw.decode(), "utf-8", how)
