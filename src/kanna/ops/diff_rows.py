"""What is told of differences: of one tensor, of a block, of a part, of all, in one row each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, sqrt

from kanna.engine.differences import Difference
from kanna.kernel import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How far the second is from the first, over so many `tensors` and `numbers`.

    `same` tensors have the same dtype and bytes, `equal` ones no number that differs once both have
    the coarser dtype; `unequal` numbers do. `relative_rms` is ``|B - A| / |A|``, `distance` is
    ``1 - cosine``, exact where the cosine is nearly 1; `largest` is the greatest ``|b - a|``,
    `mean` that of ``b - a``, `scale` the s for which ``s * A`` is nearest to B. A value that is not
    defined is None. `not_finite` counts NaN and Inf in each file.
    """

    name: str
    tensors: int
    same: int
    equal: int
    numbers: int
    unequal: int
    relative_rms: float | None
    distance: float | None
    largest: float | None
    mean: float | None
    scale: float | None
    not_finite: tuple[int, int]

    @property
    def exact(self) -> bool:
        """Whether no number differs once both have the coarser dtype."""
        return self.unequal == 0

    @property
    def cosine(self) -> float | None:
        """The cosine of the angle between both, as far as a float can hold it."""
        return None if self.distance is None else 1 - self.distance

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "name": self.name, "tensors": self.tensors, "same": self.same, "equal": self.equal,
            "numbers": self.numbers, "unequal": self.unequal, "relative_rms": self.relative_rms,
            "cosine_distance": self.distance, "max_difference": self.largest,
            "mean_difference": self.mean, "scale": self.scale,
            "not_finite": list(self.not_finite),
        }  # fmt: skip


def row_of(name: str, differences: Iterable[Difference]) -> Row:
    """Return the row of several tensors, or of one, under `name`."""
    listed = list(differences)
    total = sum(listed, Difference())
    sums = total.sums
    return Row(
        name=name,
        tensors=len(listed),
        same=sum(one.same for one in listed),
        equal=sum(not one.unequal for one in listed),
        numbers=total.numbers,
        unequal=total.unequal,
        relative_rms=relative_rms(sums),
        distance=_defined(_distance(sums)),
        largest=_defined(sums.largest),
        mean=_defined(total.total / sums.count) if sums.count else None,
        scale=_defined(sums.xy / sums.xx) if sums.xx > 0 else None,
        not_finite=total.not_finite,
    )


def relative_rms(sums: Comparison) -> float | None:
    """Return ``|y - x| / |x|``: 0 for equal numbers, None where x is all zeros and y is not."""
    if not sums.dd:
        return 0.0
    return _defined(sqrt(sums.dd / sums.xx)) if sums.xx > 0 else None


def _distance(sums: Comparison) -> float | None:
    """Return 1 less the cosine, of the difference and the lengths: nothing cancels out.

    ``2 |x| |y| (1 - cos) = |y - x|² - (|y| - |x|)²``, by the law of cosines.
    """
    if not sums.dd:
        return 0.0
    if not (sums.xx > 0 and sums.yy > 0):
        return None
    lengths = sqrt(sums.xx), sqrt(sums.yy)
    apart = (sums.yy - sums.xx) / (lengths[0] + lengths[1])
    return max(sums.dd - apart * apart, 0.0) / (2 * lengths[0] * lengths[1])


def _defined(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
