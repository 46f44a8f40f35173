"""JPEG: its segments up to the image data, and the texts in them.

Sources: ITU-T T.81 annex B; Exif 2.32 section 4.5.4 (APP1); XMP specification part 3, 1.1.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.pictures.exif import PREFIX
from kanna.pictures.exif_texts import exif_texts
from kanna.pictures.opened import Finds, Held, Opened, Piece, Window, lying_piece
from kanna.pictures.picture import PictureText

SIGNATURE: Final = b"\xff\xd8\xff"
XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
XMP_MORE: Final = b"http://ns.adobe.com/xmp/extension/\0"
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a segment
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END = 0xDA, 0xD9
_MOST: Final = 8192  # segments; colour profiles come in some hundred at most
_KINDS: Final = {0xE0: "APP0", 0xE1: "APP1", 0xFE: "COM", _SCAN: "SOS"}


class _More(NamedTuple):
    """A part of an extended XMP packet."""

    name: bytes
    size: int
    offset: int
    raw: bytes
    piece: Piece


def read(file: InputFile) -> Opened:
    """Take a JPEG apart, up to its image data.

    Raises:
        FormatError: it breaks off before the image, a segment is longer than the file, a text is
            too long, or its EXIF leads in circles.
    """
    window, finds = Window(file), Finds(file.path)
    pieces = list(_segments(window))
    frame = next((one for one in pieces if one.kind == "SOF"), None)
    size = None
    if frame and frame.end - frame.body >= 5:
        size = window.number(">H", frame.body + 3), window.number(">H", frame.body + 1)
    width, height = size or (None, None)
    held = list(_texts(window, pieces, finds))
    return Opened(
        container="jpeg", width=width, height=height, pieces=pieces, held=held, finds=finds
    )


def _segments(window: Window) -> Iterator[Piece]:
    offset, path = 2, window.file.path
    for _ in range(_MOST):
        start, code, offset = _marker(window, offset)
        if code in _ALONE:
            continue
        if code == _END or offset + 2 > window.size:
            raise FormatError("pictures.ends_before_image", path=path, offset=start)
        length = window.number(">H", offset)
        kind = "SOF" if code in _FRAMES else _KINDS.get(code, f"{code:02X}")
        piece = Piece(kind, start, offset + 2, offset + length)
        if length < 2 or piece.end > window.size:
            raise lying_piece(window.file, piece)
        yield piece
        if code == _SCAN:
            return
        offset = piece.end
    raise FormatError("pictures.too_many_pieces", path=path, limit=_MOST)


def _marker(window: Window, offset: int) -> tuple[int, int, int]:
    """Return where the marker at `offset` starts, its code, and where it ends."""
    start = offset
    while offset < window.size and window.byte(offset) == 0xFF:
        offset += 1  # any number of them may stand before the code
        if offset - start > _MOST:
            break
    if offset >= window.size:
        raise FormatError("pictures.ends_before_image", path=window.file.path, offset=start)
    if offset == start or offset - start > _MOST:
        raise FormatError("pictures.no_marker", path=window.file.path, offset=start)
    return start, window.byte(offset), offset + 1


def _texts(window: Window, pieces: list[Piece], finds: Finds) -> Iterator[Held]:
    allowance, more = finds.allowance, list[_More]()
    for piece in pieces:
        if piece.kind not in {"APP1", "COM"}:
            continue
        body = window.read(piece.body, piece.end - piece.body)
        if piece.kind == "COM":
            allowance.take("COM", len(body))
            yield Held(_comment(body), piece)
        elif body.startswith(PREFIX):
            yield from exif_texts(body, piece, finds)
        elif body.startswith(XMP):
            allowance.take("XMP", len(body))
            yield Held(_packet(body[len(XMP) :], ""), piece)
        elif body.startswith(XMP_MORE) and len(body) >= len(XMP_MORE) + 40:
            more.append(_part(body[len(XMP_MORE) :], piece))
    yield from _joined(more, finds)


def _comment(raw: bytes) -> PictureText:
    raw = raw.rstrip(b"\0")
    try:
        return PictureText(place="comment", keyword="", text=raw.decode())
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        return PictureText(place="comment", keyword="", text=text, encoding="latin-1")


def _packet(raw: bytes, keyword: str) -> PictureText:
    return PictureText(place="xmp", keyword=keyword, text=raw.decode("utf-8", "replace"))


def _part(body: bytes, piece: Piece) -> _More:
    size, offset = (int.from_bytes(body[at : at + 4], "big") for at in (32, 36))
    return _More(body[:32], size, offset, body[40:], piece)


def _joined(more: list[_More], finds: Finds) -> Iterator[Held]:
    """Return extended XMP packets, each put together of its parts and held by the first of them."""
    for name in dict.fromkeys(part.name for part in more):
        parts = sorted((part for part in more if part.name == name), key=lambda one: one.offset)
        raw = b"".join(part.raw for part in parts)
        ends = [part.offset + len(part.raw) for part in parts]
        finds.allowance.take("XMP", len(raw))
        if [0, *ends] != [*(part.offset for part in parts), parts[0].size]:
            for part in parts:
                finds.unread("pictures.broken_text", part.piece)
            continue
        yield Held(_packet(raw, "extended"), parts[0].piece, [part.piece for part in parts])
