"""GIF: its blocks, and the comments and XMP among them.

Sources: GIF89a specification; XMP specification part 3, 1.1.2 (XMP in GIF).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.pictures.limits import PIECES, TEXT
from kanna.pictures.opened import Finds, Held, Opened, Piece, Window
from kanna.pictures.picture import PictureText

SIGNATURES: Final = (b"GIF87a", b"GIF89a")
XMP: Final = b"\x0bXMP DataXMP"
XMP_END: Final = bytes(range(255, -1, -1))  # after a 1: leads readers of blocks to the end
_AHEAD: Final = 1 << 16
_BLOCKS: Final = 1 << 20  # of 255 bytes at most
_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF


def read(file: InputFile) -> Opened:
    """Take a GIF apart.

    Raises:
        FormatError: it breaks off before the image, has too many blocks, or a text is too long.
    """
    window, finds = Window(file, _AHEAD), Finds(file.path)
    if window.size < 13:
        raise FormatError("pictures.ends_before_image", path=file.path, offset=window.size)
    walk = _Walk(window, finds)
    pieces = list(walk.pieces())
    held = list(_texts(window, pieces, finds))
    return Opened(
        container="gif", width=window.number("<H", 6), height=window.number("<H", 8),
        pieces=pieces, held=held, finds=finds,
    )  # fmt: skip


class _Walk:
    """The way through a GIF's blocks."""

    def __init__(self, window: Window, finds: Finds) -> None:
        self._window, self._finds, self._left = window, finds, _BLOCKS

    def pieces(self) -> Iterator[Piece]:
        window, image = self._window, False
        path, at = window.file.path, 13 + _colours(window.byte(10))
        for _ in range(PIECES):
            try:
                piece = self._piece(at)
            except EOFError:
                if not image:
                    raise FormatError("pictures.ends_before_image", path=path, offset=at) from None
                self._finds.tail(at)
                return
            yield piece
            image = image or piece.kind == "image"
            if piece.kind == "trailer":
                return
            at = piece.end
        raise FormatError("pictures.too_many_pieces", path=path, limit=PIECES)

    def _piece(self, at: int) -> Piece:
        first = self._byte(at)
        if first == _TRAILER:
            return Piece("trailer", at, at + 1, at + 1)
        if first == _IMAGE:
            body = at + 11 + _colours(self._byte(at + 9))
            return Piece("image", at, body, self._blocks_end(body))
        if first != _EXTENSION:
            raise EOFError
        label, body = self._byte(at + 1), at + 2
        if label == _COMMENT:
            return Piece("comment", at, body, self._blocks_end(body))
        if label == _APPLICATION and self._is_xmp(body):
            return Piece("xmp", at, body + len(XMP), self._xmp_end(body + len(XMP)))
        kind = "application" if label == _APPLICATION else "extension"
        return Piece(kind, at, body, self._blocks_end(body))

    def _byte(self, at: int) -> int:
        if at >= self._window.size:
            raise EOFError
        return self._window.byte(at)

    def _is_xmp(self, at: int) -> bool:
        return at + len(XMP) <= self._window.size and self._window.read(at, len(XMP)) == XMP

    def _xmp_end(self, at: int) -> int:
        """Return where an XMP packet ends: it is no chain of blocks, but ends like one."""
        raw = self._window.read(at, min(TEXT, self._window.size - at))
        end = raw.find(b"\x01" + XMP_END)
        return self._blocks_end(at) if end < 0 else at + end + len(XMP_END) + 2

    def _blocks_end(self, at: int) -> int:
        """Return where a chain of blocks ends, each of which begins with its size."""
        while True:
            data, begin = self._window.at(at)
            place, end, count = begin, len(data), 0
            while place < end and (size := data[place]):
                place += 1 + size
                count += 1
            self._left -= count
            if self._left < 0:
                path = self._window.file.path
                raise FormatError("pictures.too_many_pieces", path=path, limit=_BLOCKS)
            if place < end:
                return at + place - begin + 1
            if count == 0:
                raise EOFError
            at += place - begin


def _colours(flags: int) -> int:
    """Return the bytes of the colour table that a descriptor's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _texts(window: Window, pieces: list[Piece], finds: Finds) -> Iterator[Held]:
    allowance, behind = finds.allowance, False
    for piece in pieces:
        behind = behind or piece.kind == "image"
        if piece.kind not in {"comment", "xmp"}:
            continue
        length = piece.end - piece.body
        if length > TEXT:
            allowance.take(piece.kind, length)
        body = window.read(piece.body, length)
        allowance.take(piece.kind, length)
        if piece.kind == "comment":
            yield Held(_text(body, behind=behind), piece)
        else:
            raw = body.removesuffix(b"\x01" + XMP_END + b"\0")
            text = raw.decode("utf-8", "replace")
            yield Held(PictureText(place="xmp", keyword="", text=text, after_data=behind), piece)


def _text(body: bytes, *, behind: bool) -> PictureText:
    at, parts = 0, []
    while size := body[at]:
        parts.append(body[at + 1 : at + 1 + size])
        at += 1 + size
    raw = b"".join(parts)
    try:
        text, encoding = raw.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "latin-1"
    return PictureText(place="comment", keyword="", text=text, encoding=encoding, after_data=behind)
