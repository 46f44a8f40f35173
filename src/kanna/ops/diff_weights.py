"""The weights of candidates, block by block, and the ways to merge that they are looked for in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from kanna.identify.beside import sort_out
from kanna.ops.diff_compared import Compared
from kanna.ops.diff_fit import Fit, Total, fit, is_rounding, may_be_rounding
from kanna.ops.diff_places import Place

NEAR: Final = 2e-3  # weights as near as this are the same, and 0 if they are as near to that
_ERRORS: Final = 4.0  # times a standard error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """The weights in every block, by the fits that they come from."""

    fits: Mapping[str, Fit]

    @property
    def all(self) -> float:
        """The square of ``B - A``."""
        return sum(one.all for one in self.fits.values())

    @property
    def left(self) -> float:
        """The square of what no candidate explains."""
        return sum(one.left for one in self.fits.values())

    @property
    def unexplained(self) -> float:
        """The share of the one in the other."""
        return self.left / self.all if self.all else 0.0

    @property
    def exact(self) -> bool:
        """Whether the candidates explain what is more than rounding, in all and in every block."""
        noise = sum(one.noise for one in self.fits.values())
        told = self.left < self.all / 2 and is_rounding(self.left, noise, self.all)
        return told and all(may_be_rounding(f.left, f.noise, f.all) for f in self.fits.values())

    def of(self, candidate: int) -> dict[str, tuple[float, float]]:
        """Return a candidate's weight and its uncertainty, block by block, where they are known."""
        found = {}
        for block, one in self.fits.items():
            weight, error = one.weights[candidate], one.errors[candidate]
            if weight is not None and error is not None:
                found[block] = weight, max(NEAR, _ERRORS * error)
        return found

    def uniform(self, candidate: int) -> float | None:
        """Return the one weight that a candidate has in all blocks, or None where they differ."""
        of = self.of(candidate)
        if not of:
            return None
        surest = min(of.values(), key=lambda one: one[1])[0]
        same = all(abs(weight - surest) <= error for weight, error in of.values())
        return surest if same else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A way to merge: the sums of candidates' differences that get a weight each."""

    kind: str
    rows: tuple[tuple[float, ...], ...]


def mixtures(count: int) -> Iterator[Mixture]:
    """Yield the ways to merge so many candidates, the simplest first."""
    units = [tuple(float(i == j) for j in range(count)) for i in range(count)]
    for unit in units:
        yield Mixture(kind="weighted_sum", rows=(unit,))
    for one, other in combinations(units, 2):
        apart = tuple(a - b for a, b in zip(one, other, strict=True))
        yield Mixture(kind="add_difference", rows=(apart,))
    if count > 1:
        yield Mixture(kind="sum_of_many", rows=tuple(units))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What was measured of every block, for `count` candidates."""

    of: Mapping[str, Total]
    count: int


def totals_by(found: Compared, key: Callable[[Place], str]) -> Totals:
    """Return the total for each `key` of the tensors that a merge makes anew.

    The VAE is not among them where there is more, nor are buffers such as CLIP's ``logit_scale``.
    """
    junk = sort_out(found.first.model, found.first.model.metadata).junk.values()
    buffers = {name for names in junk for name in names}
    groups: dict[str, list[str]] = {}
    for part, names in found.models.items():
        if part[0] != "vae" or len(found.models) == 1:
            for name in names:
                if name not in buffers:
                    groups.setdefault(key(found.places[name]), []).append(name)
    totals = {block: one for block, of in groups.items() if (one := found.total(of)) is not None}
    return Totals(of=totals, count=len(found.candidates))


def fitted(totals: Totals, rows: Sequence[Sequence[float]]) -> Weights:
    """Return the weights that explain most, one for each block."""
    return Weights(fits={block: fit(one, totals.count, rows) for block, one in totals.of.items()})
