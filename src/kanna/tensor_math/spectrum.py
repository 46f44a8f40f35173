"""How many singular values stand out of a matrix, and what is left beside them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

from kanna.tensor_math.buffers import tensor_of
from kanna.tensor_math.factor_values import Spectrum
from kanna.tensor_math.low_rank import factored

_STEEP: Final = 4.0  # times that the last value of a low rank is larger than the next
_EARLY: Final = 48  # values after which a matrix that they do not explain has no low rank
_FLOOR: Final = 1e-5  # of the largest: below it are the errors of fp32


@dataclass(frozen=True, slots=True, kw_only=True)
class Standout:
    """The `rank` of what stands out, None without; `left` is the share of squares beside it."""

    rank: int | None
    left: float


def standout(data: bytearray, shape: tuple[int, int], noise: float, most: int) -> Standout:
    """Return the rank of the fp32 matrix in `data`, up to noise of the square `noise`.

    Values of a random matrix with that noise end at ``s (sqrt(m) + sqrt(n))`` (Marchenko-Pastur),
    where ``s²`` is the mean square of its numbers. A rank is found where the values above that end
    at a gap, and hardly more than the noise is left.
    """
    matrix = tensor_of(data, shape)
    found = factored(matrix, lambda one: _enough(one, _edge(one, shape, noise)), most).spectrum
    return _judged(found, _edge(found, shape, noise), noise, most)


def _edge(found: Spectrum, shape: tuple[int, int], noise: float) -> float:
    deviation = sqrt(noise / (shape[0] * shape[1]))
    return max(1.5 * deviation * (sqrt(shape[0]) + sqrt(shape[1])), _FLOOR * found.values[0])


def _enough(found: Spectrum, edge: float) -> int | None:
    """Return how many values are enough to judge; None where it takes more of them."""
    values = found.values
    explained = sum(value * value for value in values)
    hopeless = len(values) >= _EARLY and explained < found.squares / 2
    return len(values) if hopeless or values[-1] < edge else None


def _judged(found: Spectrum, edge: float, noise: float, most: int) -> Standout:
    values = found.values
    rank = sum(value > edge for value in values)
    kept = sum(value * value for value in values[:rank])
    left = max(found.squares - kept, 0.0)
    share = left / found.squares if found.squares else 0.0
    steep = rank < len(values) and values[rank - 1] >= _STEEP * values[rank] if rank else False
    quiet = left <= 4 * noise + 1e-6 * found.squares
    low = 0 < rank <= most and (quiet or (steep and share < 0.01))
    return Standout(rank=rank if low else None, left=share)
