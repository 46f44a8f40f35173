"""Bytes that are read like a file."""

from __future__ import annotations

from pathlib import Path

from kanna.disk.reading import Fingerprint, InputFile
from kanna.errors import FormatError


class HeldBytes(InputFile):
    """A picture in memory; `path` is what messages call it."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes, path: Path) -> None:
        """Hold `data`."""
        self.path, self.size, self.fd, self._data = path, len(data), -1, data
        self.fingerprint = Fingerprint(0, 0, len(data), 0)

    def read_into(self, offset: int, out: memoryview) -> None:
        """Fill `out` from `offset`."""
        piece = self._data[offset : offset + len(out)]
        if len(piece) != len(out):
            raise FormatError("disk.ends_early", path=self.path, offset=offset)
        out[:] = piece
