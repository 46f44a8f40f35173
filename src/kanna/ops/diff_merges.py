"""Whether B is a merge of A and the candidates: how much of each, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kanna.model import Note
from kanna.ops.diff_compared import Compared
from kanna.ops.diff_fit import Fit
from kanna.ops.diff_places import Place
from kanna.ops.diff_verdict import Certainty, Verdict, number, percent, verdict

_NOISE: Final = 4.0  # times what rounding makes: A1111's arithmetic makes twice of it
_SUMS: Final = 1e-9  # a share that is no more than rounding on the way, in fp32 and of sums
_LIKELY: Final = 0.01  # a share that is unexplained where a merge is likely
_PARTLY: Final = 0.7  # and where it is worth a word
_NEAR: Final = 2e-3  # weights as near as this are the same, and 0 if they are as near to that
_ERRORS: Final = 4.0  # times a standard error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """The candidates' weights in every block, and the fits that they come from."""

    fits: Mapping[str, Fit]
    count: int

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
        """Whether no more is left than rounding makes."""
        noise = sum(one.noise for one in self.fits.values())
        return self.left <= _NOISE * noise + _SUMS * self.all

    def of(self, candidate: int) -> dict[str, tuple[float, float]]:
        """Return a candidate's weight and its uncertainty, block by block, where they are known."""
        found = {}
        for block, one in self.fits.items():
            weight, error = one.weights[candidate], one.errors[candidate]
            if weight is not None and error is not None:
                found[block] = weight, max(_NEAR, _ERRORS * error)
        return found

    def nothing(self, candidate: int) -> bool:
        """Whether a candidate has no part in any block."""
        return all(abs(weight) <= error for weight, error in self.of(candidate).values())

    def opposite(self, one: int, other: int) -> bool:
        """Whether two candidates have opposite weights in all blocks."""
        mine, theirs = self.of(one), self.of(other)
        return mine.keys() == theirs.keys() and all(
            abs(mine[block][0] + theirs[block][0]) <= mine[block][1] + theirs[block][1]
            for block in mine
        )

    def uniform(self, candidate: int) -> float | None:
        """Return the one weight that a candidate has in all blocks, or None where they differ."""
        of = self.of(candidate)
        if not of:
            return None
        surest = min(of.values(), key=lambda one: one[1])[0]
        same = all(abs(weight - surest) <= error for weight, error in of.values())
        return surest if same else None


def merged(found: Compared) -> Verdict | None:
    """Return the merge that B is; None without candidates, or where they explain too little."""
    names = [name for part, of in found.models.items() for name in of
             if part[0] != "vae" or len(found.models) == 1]  # fmt: skip
    blocks = _fitted(found, names, lambda place: place.slot)
    if not blocks.all or blocks.unexplained > _PARTLY:
        return None
    if blocks.exact:
        return _named(found, blocks, "certain")
    elements = _fitted(found, names, lambda place: f"{place.slot} {place.group}")
    if elements.exact:
        values = {"unexplained": elements.unexplained, **_values(elements)}
        return verdict("merged_by_element", evidence=_evidence(elements), values=values)
    if blocks.unexplained <= _LIKELY:
        return _named(found, blocks, "likely")
    share = percent(1 - blocks.unexplained)
    return verdict("partly_merged", "likely", share=share,
                   values={"unexplained": blocks.unexplained, **_values(blocks)})  # fmt: skip


def _fitted(found: Compared, names: Iterable[str], key: Callable[[Place], str]) -> Weights:
    """Return the weights that explain most, one for each `key` of tensors."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(found.places[name]), []).append(name)
    fits = {block: one for block, of in groups.items() if (one := found.fit(of)) is not None}
    return Weights(fits=fits, count=len(found.candidates))


def _evidence(weights: Weights) -> tuple[Note, ...]:
    return (
        Note("diff.unexplained", {"share": percent(weights.unexplained)}),
        Note("diff.only_rounding" if weights.exact else "diff.more_than_rounding"),
    )


def _named(found: Compared, weights: Weights, certainty: Certainty) -> Verdict:
    """Return the verdict by the name of its method."""
    evidence = _evidence(weights)
    there = [at for at in range(weights.count) if not weights.nothing(at)]
    values = {"unexplained": weights.unexplained, **_values(weights)}
    if len(there) == 2 and weights.opposite(*there):
        plus, minus = sorted(there, key=lambda at: _sum(weights, at), reverse=True)
        values |= {"method": "add-difference", "models": [_letter(plus), _letter(minus)]}
        return _told(found, "add_difference", plus, weights, certainty, evidence, values,
                     plus=_letter(plus), minus=_letter(minus))  # fmt: skip
    values |= {"method": "weighted-sum", "models": [_letter(at) for at in there]}
    if len(there) == 1:
        alpha = weights.uniform(there[0])
        kind = "other" if alpha is not None and abs(alpha - 1) <= _NEAR else "weighted_sum"
        return _told(found, kind, there[0], weights, certainty, evidence, values,
                     other=_letter(there[0]))  # fmt: skip
    shares = tuple(
        Note("diff.share", {"letter": _letter(at), "weight": _text(found, weights, at)})
        for at in there
    )
    return verdict("sum_of_many", certainty, evidence=(*evidence, *shares), values=values,
                   count=len(there) + 1)  # fmt: skip


def _letter(candidate: int) -> str:
    return chr(ord("C") + candidate)


def _told(
    found: Compared, kind: str, candidate: int, weights: Weights, certainty: Certainty,
    evidence: tuple[Note, ...], values: Mapping[str, object], **letters: str,
) -> Verdict:  # fmt: skip
    alpha = weights.uniform(candidate)
    if alpha is None:
        text = _blocks_text(found, weights, candidate)
        return verdict(f"{kind}_by_block", certainty, values={**values, "blocks": text},
                       evidence=(*evidence, Note("diff.blocks", {"blocks": text})),
                       **letters)  # fmt: skip
    return verdict(kind, certainty, evidence=evidence, values={**values, "alpha": alpha},
                   alpha=number(alpha), **letters)  # fmt: skip


def _sum(weights: Weights, candidate: int) -> float:
    return sum(weight for weight, _ in weights.of(candidate).values())


def _values(weights: Weights) -> dict[str, object]:
    """Return all weights by candidate and block, for programs."""
    return {
        "weights": {
            _letter(at): {block: weight for block, (weight, _) in weights.of(at).items()}
            for at in range(weights.count)
        }
    }


def _text(found: Compared, weights: Weights, candidate: int) -> str:
    alpha = weights.uniform(candidate)
    return _blocks_text(found, weights, candidate) if alpha is None else number(alpha)


def _blocks_text(found: Compared, weights: Weights, candidate: int) -> str:
    """Return a candidate's weights as ``--blocks`` takes them: a list, else rules.

    A block that cannot tell, because the candidate is the same there, gets none.
    """
    known = {block: number(weight) for block, (weight, _) in weights.of(candidate).items()}
    if found.listed and known.keys() <= set(found.listed):
        return ",".join(known.get(block, "0") for block in found.listed)
    return _rules(known, found.blocks)


def _rules(known: Mapping[str, str], blocks: Sequence[str]) -> str:
    ordered: Iterable[str] = sorted(known, key=blocks.index)
    return ",".join(f"{block}={known[block]}" for block in ordered)
