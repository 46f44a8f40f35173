"""Whether B is a merge of A and the candidates: how much of each, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from kanna.identify.beside import sort_out
from kanna.model import Note
from kanna.ops.diff_compared import Compared
from kanna.ops.diff_fit import Fit, Total, fit, is_rounding, may_be_rounding
from kanna.ops.diff_places import Place
from kanna.ops.diff_verdict import Certainty, Verdict, letter, number, percent, verdict

_LIKELY: Final = 0.01  # a share that is unexplained where a merge is likely
_PARTLY: Final = 0.7  # and where it is worth a word
_NEAR: Final = 2e-3  # weights as near as this are the same, and 0 if they are as near to that
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
                found[block] = weight, max(_NEAR, _ERRORS * error)
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
class _Mixture:
    """A way to merge: the sums of candidates' differences that get a weight each."""

    kind: str
    rows: tuple[tuple[float, ...], ...]


def _mixtures(count: int) -> Iterator[_Mixture]:
    """Yield the ways to merge so many candidates, the simplest first."""
    units = [tuple(float(i == j) for j in range(count)) for i in range(count)]
    for unit in units:
        yield _Mixture(kind="weighted_sum", rows=(unit,))
    for one, other in combinations(units, 2):
        apart = tuple(a - b for a, b in zip(one, other, strict=True))
        yield _Mixture(kind="add_difference", rows=(apart,))
    if count > 1:
        yield _Mixture(kind="sum_of_many", rows=tuple(units))


def merged(found: Compared) -> Verdict | None:
    """Return the merge that B is; None without candidates, or where they explain too little."""
    count = len(found.candidates)
    totals = _totals(found, lambda place: place.slot)
    tried = [(mixture, _fitted(totals, mixture.rows)) for mixture in _mixtures(count)]
    exact = [one for one in tried if one[1].all and one[1].exact]
    if exact:  # one weight for all blocks is the simpler explanation
        simple = (one for one in exact if one[1].uniform(0) is not None)
        return _named(found, *next(simple, exact[0]), "certain")
    if not tried or not tried[-1][1].all or tried[-1][1].unexplained > _PARTLY:
        return None
    by_element = _totals(found, lambda place: f"{place.slot} {place.group}")
    elements = _fitted(by_element, tried[-1][0].rows)
    if elements.exact:
        values = {"unexplained": elements.unexplained, **_values(elements, tried[-1][0])}
        return verdict("merged_by_element", evidence=_evidence(elements), values=values)
    for mixture, blocks in tried:
        if blocks.unexplained <= _LIKELY:
            return _named(found, mixture, blocks, "likely")
    mixture, blocks = tried[-1]
    values = {"unexplained": blocks.unexplained, **_values(blocks, mixture)}
    share = percent(1 - blocks.unexplained)
    return verdict("partly_merged", "likely", share=share, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """What was measured of every block, for `count` candidates."""

    of: Mapping[str, Total]
    count: int


def _totals(found: Compared, key: Callable[[Place], str]) -> _Totals:
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
    return _Totals(of=totals, count=len(found.candidates))


def _fitted(totals: _Totals, rows: Sequence[Sequence[float]]) -> Weights:
    """Return the weights that explain most, one for each block."""
    return Weights(fits={block: fit(one, totals.count, rows) for block, one in totals.of.items()})


def _evidence(weights: Weights) -> tuple[Note, ...]:
    return (
        Note("diff.unexplained", {"share": percent(weights.unexplained)}),
        Note("diff.only_rounding" if weights.exact else "diff.more_than_rounding"),
    )


def _named(found: Compared, mixture: _Mixture, weights: Weights, certainty: Certainty) -> Verdict:
    """Return the verdict by the name of its method."""
    if mixture.kind == "sum_of_many":
        return _many(found, mixture, weights, certainty)
    row, alpha = mixture.rows[0], weights.uniform(0)
    turned = mixture.kind == "add_difference" and _sum(weights) < 0
    sign = -1.0 if turned else 1.0
    there = [letter(at + 2) for at, share in enumerate(row) if share]
    models = there[::-1] if turned else there
    roles = ("plus", "minus") if mixture.kind == "add_difference" else ("other",)
    letters = dict(zip(roles, models, strict=True))
    values = {
        "method": mixture.kind.replace("_", "-"), "models": models,
        "unexplained": weights.unexplained, **_values(weights, mixture),
    }  # fmt: skip
    kind, evidence = mixture.kind, _evidence(weights)
    if alpha is None:
        values["blocks"] = {models[0]: _blocks_text(found, weights, 0, sign)}
        return verdict(f"{kind}_by_block", certainty, values=values, evidence=evidence, **letters)
    alpha *= sign
    if kind == "weighted_sum" and abs(alpha - 1) <= _NEAR:
        kind = "other"
    return verdict(kind, certainty, values={**values, "alpha": alpha}, evidence=evidence,
                   alpha=number(alpha), **letters)  # fmt: skip


def _many(found: Compared, mixture: _Mixture, weights: Weights, certainty: Certainty) -> Verdict:
    """Return the verdict of a sum of three models or more: the same in all blocks, if it can be."""
    letters = [letter(at + 2) for at in range(len(mixture.rows))]
    values = {
        "method": "weighted-sum", "models": letters, "unexplained": weights.unexplained,
        **_values(weights, mixture),
    }  # fmt: skip
    evidence = _evidence(weights)
    whole = _fitted(_totals(found, lambda _: ""), mixture.rows)
    if whole.exact:
        alphas = dict(zip(letters, whole.fits[""].weights, strict=True))
        values["alpha"] = alphas
        evidence += tuple(
            Note("diff.share", {"letter": one, "weight": number(alpha or 0.0)})
            for one, alpha in alphas.items()
        )
    else:
        values["blocks"] = {one: _blocks_text(found, weights, at)
                            for at, one in enumerate(letters)}  # fmt: skip
    return verdict("sum_of_many", certainty, evidence=evidence, values=values,
                   count=len(letters) + 1)  # fmt: skip


def _sum(weights: Weights) -> float:
    return sum(weight for weight, _ in weights.of(0).values())


def _values(weights: Weights, mixture: _Mixture) -> dict[str, object]:
    """Return all weights by candidate and block, for programs."""
    found: dict[str, dict[str, float]] = {}
    for at, row in enumerate(mixture.rows):
        for candidate, share in enumerate(row):
            if share:
                found[letter(candidate + 2)] = {
                    block: share * weight for block, (weight, _) in weights.of(at).items()
                }
    return {"weights": found}


def _blocks_text(found: Compared, weights: Weights, at: int, sign: float = 1.0) -> str:
    """Return weights as ``--blocks`` takes them: a list, else rules.

    A block that cannot tell, because the candidate is the same there, gets none.
    """
    known = {block: number(sign * weight) for block, (weight, _) in weights.of(at).items()}
    if found.listed and known.keys() <= set(found.listed):
        return ",".join(known.get(block, "0") for block in found.listed)
    return ",".join(f"{block}={known[block]}" for block in sorted(known, key=found.blocks.index))
