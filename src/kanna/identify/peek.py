"""Reading a few numbers: at most 4 KiB of small tensors that the tables name, and only those."""

from __future__ import annotations

from math import fsum, sqrt
from typing import TYPE_CHECKING, Final

from kanna.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kanna.model import TensorInfo

LIMIT: Final = 4096


class Peek:
    """A reader with a budget: it reads nothing once `LIMIT` bytes are spent."""

    def __init__(self) -> None:
        """Start with the whole budget."""
        self.left = LIMIT

    def values(self, tensor: TensorInfo) -> tuple[float, ...] | tuple[int, ...] | None:
        """Return the tensor's numbers, or None where it is too large or cannot be decoded here.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        if not 0 < tensor.nbytes <= self.left:
            return None
        self.left -= tensor.nbytes
        try:
            return tensor.numbers()
        except MissingExtra:  # what a file is can be said without its numbers
            return None


def deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation (n - 1), or None for all zeros: a file full of holes."""
    if len(values) < 2 or not any(values):
        return None
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
