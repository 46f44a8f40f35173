"""Which part of the way from A to each candidate was gone: linear least squares.

With differences from A, ``B = (1 - Σw) A + Σ w C`` is ``B - A = Σ w (C - A)``. Its normal equations
take nothing but the scalar products of the differences, of which no digit is lost to what the
models have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from kanna.dtypes import DType
from kanna.engine.differences import Difference

# A pivot of the normed equations below this: what is left of a candidate is that of the others.
_PIVOT: Final = 1e-10

# Bits of the mantissa, and the distance of the smallest numbers. Source: IEEE 754; OFP8 (OCP).
_STEPS: Final = {
    "fp64": (52, 0.0), "fp32": (23, 2.0**-149), "fp16": (10, 2.0**-24), "bf16": (7, 2.0**-133),
    "fp8_e4m3": (3, 2.0**-9), "fp8_e5m2": (2, 2.0**-16),
}  # fmt: skip
# Rounding errors are even between plus and minus half a step of 2**-m, their mean square is a
# twelfth of its square; that of numbers from 1 to 2, with even logarithms, is 1.5 / ln 2.
_ENERGY: Final = 12 * 1.5 / 0.6931471805599453


# Times what rounding makes, as expected: A1111's arithmetic makes twice of it, cutting off four
# times; few numbers, or such as lie just above a power of two, as norms do, are farther off.
_COARSE: Final = 4.0
_UNEVEN: Final = 16.0
_SUMS: Final = 1e-9  # a share that is no more than rounding on the way, in fp32 and of sums


def is_rounding(left: float, noise: float, whole: float) -> bool:
    """Whether a square that is `left` of a `whole` is no more than rounding makes."""
    return left <= _COARSE * noise + _SUMS * whole


def may_be_rounding(left: float, noise: float, whole: float = 0.0) -> bool:
    """Whether it is not so much more that anything else must have been done."""
    return left <= _UNEVEN * noise + _SUMS * whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What candidates explain of ``B - A``.

    `weights` are theirs, None where the numbers cannot tell: a candidate that equals A, or follows
    from others; `errors` are the standard errors. `left` is the square of what they do not explain,
    `all` that of ``B - A``, `noise` what rounding B to its dtype makes.
    """

    weights: tuple[float | None, ...]
    errors: tuple[float | None, ...]
    left: float
    all: float
    noise: float

    @property
    def unexplained(self) -> float:
        """The share of the square of ``B - A`` that the candidates do not explain."""
        return min(self.left / self.all, 1.0) if self.all > 0 else 0.0

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "weights": list(self.weights), "errors": list(self.errors),
            "unexplained": self.unexplained,
        }  # fmt: skip


def rounding(dtype: DType, difference: Difference) -> float:
    """Return the sum of squares of the errors that rounding to `dtype` makes, as expected."""
    if dtype.word not in _STEPS:
        return 0.0
    bits, least = _STEPS[dtype.word]
    sums = difference.sums
    return sums.yy * 2.0 ** (-2 * bits) / _ENERGY + sums.count * least * least / 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The difference of several tensors together, and the square that rounding them makes."""

    difference: Difference
    noise: float


def fit(found: Total, count: int, mixture: Sequence[Sequence[float]] | None = None) -> Fit:
    """Return what `count` candidates explain of a total.

    With `mixture`, the weights are those of its rows, each a sum of the candidates' differences.
    """
    total, size = found.difference, count + 1
    products = iter(total.products or (0.0,) * (size * (size + 1) // 2))
    table = {(i, j): next(products) for i in range(size) for j in range(i, size)}
    gram = [[table[min(i, j), max(i, j)] for j in range(1, size)] for i in range(1, size)]
    aims = [table[0, i] for i in range(1, size)]
    if mixture is not None:
        halves = [[_scalar(row, column) for column in gram] for row in mixture]
        gram = [[_scalar(half, row) for row in mixture] for half in halves]
        aims = [_scalar(row, aims) for row in mixture]
    weights, spread = _solved(gram, aims)
    explained = sum(w * aim for w, aim in zip(weights, aims, strict=True) if w is not None)
    left = max(table[0, 0] - explained, 0.0)
    mean = left / max(total.sums.count, 1)
    return Fit(
        weights=tuple(weights),
        errors=tuple(None if one is None else sqrt(mean * one) for one in spread),
        left=left, all=table[0, 0], noise=found.noise,
    )  # fmt: skip


def _scalar(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(first, second, strict=True))


def _solved(
    gram: Sequence[Sequence[float]], aims: Sequence[float]
) -> tuple[list[float | None], list[float | None]]:
    """Solve the equations by elimination; return the weights and the diagonal of the inverse.

    They are normed first, so that candidates near A and far from it count alike.
    """
    size = len(aims)
    scales = [sqrt(gram[i][i]) for i in range(size)]
    known = [i for i in range(size) if scales[i] > 0]
    rows = [
        [gram[i][j] / scales[i] / scales[j] for j in known]
        + [float(i == j) for j in known]
        + [aims[i] / scales[i]]
        for i in known
    ]
    done = _eliminated(rows)
    weights: list[float | None] = [None] * size
    spread: list[float | None] = [None] * size
    for column, row in done.items():
        i = known[column]
        weights[i] = row[-1] / scales[i]
        spread[i] = max(row[len(known) + column], 0.0) / scales[i] ** 2
    return weights, spread


def _eliminated(rows: list[list[float]]) -> dict[int, list[float]]:
    """Return the row that gives each unknown; those that the others decide have none."""
    done: dict[int, list[float]] = {}
    free = set(range(len(rows)))
    while free:
        column = max(free, key=lambda one: (rows[one][one], -one))
        if rows[column][column] < _PIVOT:
            break
        free.discard(column)
        pivot = [value / rows[column][column] for value in rows[column]]
        for at, row in enumerate(rows):
            if at != column:
                rows[at] = [value - row[column] * p for value, p in zip(row, pivot, strict=True)]
        rows[column] = pivot
        done[column] = pivot
    return {column: rows[column] for column in done}
