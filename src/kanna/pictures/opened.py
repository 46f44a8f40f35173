"""A picture's container taken apart: where its pieces are, and which of them hold texts."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.model import Note
from kanna.pictures.limits import Allowance
from kanna.pictures.picture import Container, PictureText

if TYPE_CHECKING:
    from kanna.pictures.exif_texts import ExifBlock

_FIRST: Final = 8192  # bytes of a file that are read at once; texts stand in front
_AHEAD: Final = 512


class Piece(NamedTuple):
    """A chunk, segment, block or box: bytes `start` to `end`, its content from `body`."""

    kind: str
    start: int
    body: int
    end: int


class Held(NamedTuple):
    """A text and the piece that holds it; `how` is what its container needs to write it anew."""

    text: PictureText
    piece: Piece
    how: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A container with its pieces and texts in file order; sizes in pixels."""

    container: Container
    width: int | None
    height: int | None
    pieces: Sequence[Piece]
    held: Sequence[Held]
    finds: Finds


class Finds:
    """What comes to light while a file is taken apart: remarks, EXIF, texts that nobody can read.

    `exif` are the blocks of `kanna.pictures.exif_texts`, those without texts, too.
    """

    def __init__(self, path: Path) -> None:
        """Begin with nothing."""
        self.path, self.allowance = path, Allowance(path)
        self.notes: list[Note] = []
        self.exif: list[ExifBlock] = []
        self.broken: list[Piece] = []

    def tail(self, offset: int) -> None:
        """Tell that everything from `offset` on is damaged."""
        self.notes.append(Note("pictures.tail_damaged", {"path": self.path, "offset": offset}))

    def odd(self, key: str, piece: Piece) -> None:
        """Tell something about a piece."""
        said = {"path": self.path, "kind": piece.kind, "offset": piece.start}
        self.notes.append(Note(key, said))

    def unread(self, key: str, piece: Piece) -> None:
        """Tell that there should be text in a piece, and none can be read."""
        self.odd(key, piece)
        self.broken.append(piece)


class Window:
    """The bytes of a file, read in few steps: a good piece of its beginning, little elsewhere."""

    __slots__ = ("_ahead", "_data", "_start", "file", "size")

    def __init__(self, file: InputFile, ahead: int = _AHEAD) -> None:
        """Read the beginning of `file`; later `ahead` bytes at once."""
        self.file, self.size = file, file.size
        self._start, self._data = 0, file.read(0, min(self.size, _FIRST))
        self._ahead = ahead

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`.

        Raises:
            FormatError: the file ends before that.
        """
        begin = offset - self._start
        if begin < 0 or begin + length > len(self._data):
            if length >= self._ahead:
                return self.file.read(offset, length)
            wanted = max(length, min(self._ahead, self.size - offset))
            self._start, self._data, begin = offset, self.file.read(offset, wanted), 0
        return self._data[begin : begin + length]

    def at(self, offset: int) -> tuple[bytes, int]:
        """Return bytes that are at hand, and where in them `offset` is: at their end at most."""
        if not 0 <= offset - self._start < len(self._data):
            wanted = max(0, min(self._ahead, self.size - offset))
            self._start, self._data = offset, self.file.read(offset, wanted)
        return self._data, offset - self._start

    def byte(self, offset: int) -> int:
        """Return the byte at `offset`."""
        return self.read(offset, 1)[0]

    def number(self, layout: str, offset: int) -> int:
        """Return the number at `offset` that `layout` describes as `struct` does."""
        (value,) = struct.unpack(layout, self.read(offset, struct.calcsize(layout)))
        return int(value)


def lying_piece(file: InputFile, piece: Piece, behind: int = 0) -> FormatError:
    """Return the error that says that `piece` is longer than the file that it is in.

    `behind` are the bytes of the piece that follow its content.
    """
    return FormatError(
        "pictures.piece_too_long", path=file.path, kind=piece.kind, offset=piece.start,
        length=piece.end - behind - piece.body,
    )  # fmt: skip
