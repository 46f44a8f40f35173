"""How many singular values a LoRA keeps: a fixed rank, or what the values themselves ask for.

The three dynamic ways are those of kohya-ss/sd-scripts networks/resize_lora.py (sv_ratio,
sv_cumulative, sv_fro), by their definitions; the script itself keeps one value more than they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import sqrt
from typing import Final, Literal

from kanna.errors import UsageError
from kanna.tensor_math.factor_values import Spectrum

RankMethod = Literal["fixed", "ratio", "cumulative", "frobenius"]
# What people write; kohya's names, too.
_DYNAMIC: Final[Mapping[str, RankMethod]] = {
    "ratio": "ratio", "cumulative": "cumulative", "frobenius": "frobenius",
    "sv_ratio": "ratio", "sv_cumulative": "cumulative", "sv_fro": "frobenius",
}  # fmt: skip
_FIRST: Final = 16  # values that are looked for where they decide themselves
_NOISE: Final = 1e-6  # singular values of this share of the largest are fp32's rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Which rank a module gets; never more than `most`, never less than one.

    ``fixed`` is `most` itself. ``ratio`` keeps the singular values above the largest over `value`;
    ``cumulative`` as many as sum up to the share `value` of the sum of all; ``frobenius`` as many
    as keep that share of the Frobenius norm.
    """

    method: RankMethod = "fixed"
    value: float = 0.0
    most: int = 32

    @property
    def with_total(self) -> bool:
        """Whether the sum of all singular values must be known."""
        return self.method == "cumulative"

    @property
    def first(self) -> int:
        """How many singular values to look for to begin with."""
        return self.most if self.method == "fixed" else _FIRST

    def choose(self, spectrum: Spectrum) -> int | None:
        """Return the rank, or None where that takes more of the spectrum."""
        values = spectrum.values
        wanted = self._wanted(spectrum)
        if wanted is None and not spectrum.complete:
            return None
        if self.method != "fixed":
            real = sum(value > _NOISE * values[0] for value in values)
            wanted = real if wanted is None else min(wanted, real)
        return max(1, min(wanted or len(values), self.most))

    def _wanted(self, spectrum: Spectrum) -> int | None:
        values = spectrum.values
        if self.method == "fixed":
            return self.most if len(values) >= self.most else None
        if self.method == "ratio":
            limit = values[0] / self.value
            return next((at for at, value in enumerate(values) if value <= limit), None)
        if self.method == "frobenius":
            goal = self.value**2 * spectrum.squares
            return _reached((value * value for value in values), goal)
        return _reached(values, self.value * (spectrum.total or 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRanks:
    """The ranks of linear layers, and of convolutions with a kernel (None: they are left out)."""

    linear: Ranks
    conv: Ranks | None

    def of(self, shape: Sequence[int]) -> Ranks | None:
        """Return the ranks for a layer of `shape`, or None where it is left out."""
        return self.conv if any(size > 1 for size in shape[2:]) else self.linear


def layer_ranks(ranks: Ranks, conv_rank: int | None) -> LayerRanks:
    """Return `ranks` with another highest rank for convolutions: None for the same, 0 for none.

    Raises:
        UsageError: it is less than nothing.
    """
    if conv_rank is None:
        return LayerRanks(linear=ranks, conv=ranks)
    if conv_rank < 0:
        raise UsageError("lora_making.rank_unclear", rank=conv_rank)
    return LayerRanks(linear=ranks, conv=replace(ranks, most=conv_rank) if conv_rank else None)


def ranks_of(rank: int | None, dynamic: str | None, most: int | None, *, default: int) -> Ranks:
    """Return the ranks that a person asked for: a rank, or ``ratio:10`` with a highest one.

    Raises:
        UsageError: the words make no sense, alone or together.
    """
    for number in (rank, most):
        if number is not None and number < 1:
            raise UsageError("lora_making.rank_unclear", rank=number)
    if dynamic is None:
        if most is not None:
            raise UsageError("lora_making.most_without_dynamic")
        return Ranks(most=default if rank is None else rank)
    if rank is not None:
        raise UsageError("lora_making.rank_and_dynamic")
    method, value = _dynamic(dynamic)
    return Ranks(method=method, value=value, most=default if most is None else most)


def _dynamic(given: str) -> tuple[RankMethod, float]:
    """Return the way to choose ranks and its number.

    Raises:
        UsageError: the words make no sense.
    """
    word, _, number = given.partition(":")
    method = _DYNAMIC.get(word)
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if method is None or not _sensible(method, value):
        raise UsageError("lora_making.dynamic_unclear", given=given)
    return method, value


def _sensible(method: RankMethod, value: float) -> bool:
    return 1 < value < float("inf") if method == "ratio" else 0 < value <= 1


def _reached(numbers: Iterable[float], goal: float) -> int | None:
    """Return how many of `numbers` it takes to sum up to `goal`, None where all do not."""
    sums = enumerate(accumulate(numbers), start=1)
    return next((count for count, total in sums if total >= goal), None)


def share(kept: float, squares: float) -> float:
    """Return which share of the Frobenius norm is kept, of sums of squares; 1 of nothing."""
    return sqrt(min(kept / squares, 1.0)) if squares else 1.0
