"""Tensors whose bytes lie out of order in their storage: strided ones and big-endian ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from kanna.model import Data, Extent

_FORMATS: Final[dict[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


@dataclass(frozen=True, slots=True)
class Strided:
    """A tensor whose elements lie scattered in a storage: transposed, sliced or expanded.

    `source` spans from its first to its last element; `strides` are in elements of `width` bytes.
    """

    source: Data
    span: int
    width: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are not in order anywhere."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Gather the elements and fill `out` from `start` bytes into the contiguous tensor."""
        scattered = memoryview(bytearray(self.span))
        self.source.read_into(0, scattered)
        nbytes = self.width * prod(self.shape)
        gathered = out if len(out) == nbytes else memoryview(bytearray(nbytes))
        _gather(scattered, gathered, *self._axes())
        if gathered is not out:
            out[:] = gathered[start : start + len(out)]

    def _axes(self) -> tuple[int, list[tuple[int, int, int]]]:
        """Return the element width to copy by, and per axis its size, stride from, stride to."""
        axes, step = [], 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            axes.append((size, stride, step))
            step *= size
        if self.width <= 8:
            return self.width, axes
        # complex128: two doubles each
        doubled = [(size, stride * 2, step * 2) for size, stride, step in axes]
        return 8, [(2, 1, 1), *doubled]


def _gather(
    scattered: memoryview, gathered: memoryview, width: int, axes: list[tuple[int, int, int]]
) -> None:
    """Copy along the longest axis in C, once for every position on the other axes."""
    source, target = scattered.cast(_FORMATS[width]), gathered.cast(_FORMATS[width])
    size, stride, step = longest = max(axes)
    others = list(axes)
    others.remove(longest)
    for position in product(*(range(axis[0]) for axis in others)):
        begin = sum(i * axis[1] for i, axis in zip(position, others, strict=True))
        to = sum(i * axis[2] for i, axis in zip(position, others, strict=True))
        row = target[to : to + (size - 1) * step + 1 : step]
        if stride:
            row[:] = source[begin : begin + (size - 1) * stride + 1 : stride]
        else:
            row[:] = memoryview(bytes(source[begin : begin + 1]) * size).cast(_FORMATS[width])


@dataclass(frozen=True, slots=True)
class Swapped:
    """A tensor stored big-endian; `width` is that of one number (half a complex one)."""

    source: Data
    width: int
    nbytes: int
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are in the other order."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Read all, swap, and fill `out` from `start`."""
        stored = memoryview(bytearray(self.nbytes))
        self.source.read_into(0, stored)
        swapped = out if len(out) == self.nbytes else memoryview(bytearray(self.nbytes))
        for byte in range(self.width):
            swapped[byte :: self.width] = stored[self.width - 1 - byte :: self.width]
        if swapped is not out:
            out[:] = swapped[start : start + len(out)]
