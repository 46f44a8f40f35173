"""How one tensor differs from another, and from candidates: values that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kanna.kernel import Comparison
from kanna.model import TensorInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One tensor as two files have it, and as candidates do (None: not at all); of one size."""

    name: str
    first: TensorInfo
    second: TensorInfo
    others: tuple[TensorInfo | None, ...] = ()

    @property
    def nbytes(self) -> int:
        """The bytes that are read to compare it."""
        return sum(one.nbytes for one in (self.first, self.second, *self.others) if one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far the second tensor is from the first; of pieces they add up to that of the whole.

    `numbers` were compared, of which `unequal` differ once both have the coarser of their two
    dtypes; `same` says that dtype and bytes are the same. `sums` are those of the kernel, with x of
    the first; `total` is the sum of ``y - x``, `not_finite` counts NaN and Inf in each.
    `products` are the scalar products of ``y - x`` and of every candidate's difference from x, row
    by row, from the diagonal on; 0 where a candidate lacks the tensor or a number is not finite.
    """

    numbers: int = 0
    same: bool = True
    unequal: int = 0
    sums: Comparison = field(default_factory=Comparison)
    total: float = 0.0
    not_finite: tuple[int, int] = (0, 0)
    products: tuple[float, ...] = ()

    def __add__(self, other: Difference) -> Difference:
        """Return the difference of both pieces."""
        return Difference(
            numbers=self.numbers + other.numbers,
            same=self.same and other.same,
            unequal=self.unequal + other.unequal,
            sums=self.sums + other.sums,
            total=self.total + other.total,
            not_finite=(
                self.not_finite[0] + other.not_finite[0],
                self.not_finite[1] + other.not_finite[1],
            ),
            products=_added(self.products, other.products),
        )


def _added(first: Sequence[float], second: Sequence[float]) -> tuple[float, ...]:
    if not first or not second:
        return tuple(first or second)
    return tuple(one + other for one, other in zip(first, second, strict=True))
