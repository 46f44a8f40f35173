"""A matrix read column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kanna.model import Data, Extent

_FORMATS: Final[dict[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


@dataclass(frozen=True, slots=True)
class Transposed:
    """A matrix of `height` rows and `width` columns, read column by column; `item` bytes each."""

    source: Data
    height: int
    width: int
    item: int
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are not in order anywhere."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Read all, turn it, and fill `out` from `start` bytes into the turned matrix."""
        nbytes = self.height * self.width * self.item
        stored = memoryview(bytearray(nbytes))
        self.source.read_into(0, stored)
        turned = out if len(out) == nbytes else memoryview(bytearray(nbytes))
        self._turn(stored, turned)
        if turned is not out:
            out[:] = turned[start : start + len(out)]

    def _turn(self, stored: memoryview, turned: memoryview) -> None:
        word = min(self.item, max(_FORMATS))
        lanes = self.item // word  # complex128 is two doubles
        source, target = stored.cast(_FORMATS[word]), turned.cast(_FORMATS[word])
        column = self.height * lanes
        for index in range(self.width):
            for lane in range(lanes):
                begin = index * lanes + lane
                target[index * column + lane : (index + 1) * column : lanes] = source[
                    begin :: self.width * lanes
                ]


def turned(data: Data, height: int, width: int, item: int) -> Data:
    """Return the matrix of `height` rows and `width` columns in `data`, turned.

    What was turned already is given back; a single row or column stays as it is, and so does
    nothing, of which there may be endless columns.
    """
    if not {0, 1}.isdisjoint((height, width)):
        return data
    if isinstance(data, Transposed) and (data.height, data.width) == (width, height):
        return data.source
    return Transposed(data, height, width, item)
