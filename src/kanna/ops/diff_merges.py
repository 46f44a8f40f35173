"""Whether B is a merge of A and the candidates: how much of each, block by block."""

from __future__ import annotations

from typing import Final

from kanna.model import Note
from kanna.ops.diff_compared import Compared
from kanna.ops.diff_verdict import Certainty, Verdict, letter, number, percent, verdict
from kanna.ops.diff_weights import NEAR, Mixture, Weights, fitted, mixtures, totals_by

_LIKELY: Final = 0.01  # a share that is unexplained where a merge is likely
_PARTLY: Final = 0.7  # and where it is worth a word


def merged(found: Compared) -> Verdict | None:
    """Return the merge that B is; None without candidates, or where they explain too little."""
    count = len(found.candidates)
    totals = totals_by(found, lambda place: place.slot)
    tried = [(mixture, fitted(totals, mixture.rows)) for mixture in mixtures(count)]
    exact = [one for one in tried if one[1].all and one[1].exact]
    if exact:  # one weight for all blocks is the simpler explanation
        simple = (one for one in exact if one[1].uniform(0) is not None)
        return _named(found, *next(simple, exact[0]), "certain")
    if not tried or not tried[-1][1].all or tried[-1][1].unexplained > _PARTLY:
        return None
    by_element = totals_by(found, lambda place: f"{place.slot} {place.group}")
    elements = fitted(by_element, tried[-1][0].rows)
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


def _evidence(weights: Weights) -> tuple[Note, ...]:
    return (
        Note("diff.unexplained", {"share": percent(weights.unexplained)}),
        Note("diff.only_rounding" if weights.exact else "diff.more_than_rounding"),
    )


def _named(found: Compared, mixture: Mixture, weights: Weights, certainty: Certainty) -> Verdict:
    """Return the verdict by the name of its method."""
    if mixture.kind == "sum_of_many":
        return _many(found, mixture, weights, certainty)
    row, alpha = mixture.rows[0], weights.uniform(0)
    if certainty == "certain" and not _together(found, mixture).exact:
        alpha = None  # near one another, but not one
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
    if kind == "weighted_sum" and abs(alpha - 1) <= NEAR:
        kind = "other"
    return verdict(kind, certainty, values={**values, "alpha": alpha}, evidence=evidence,
                   alpha=number(alpha), **letters)  # fmt: skip


def _many(found: Compared, mixture: Mixture, weights: Weights, certainty: Certainty) -> Verdict:
    """Return the verdict of a sum of three models or more: the same in all blocks, if it can be."""
    letters = [letter(at + 2) for at in range(len(mixture.rows))]
    values = {
        "method": "weighted-sum", "models": letters, "unexplained": weights.unexplained,
        **_values(weights, mixture),
    }  # fmt: skip
    evidence = _evidence(weights)
    whole = _together(found, mixture)
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


def _together(found: Compared, mixture: Mixture) -> Weights:
    """Return the weights as they would be if they were the same in all blocks."""
    return fitted(totals_by(found, lambda _: ""), mixture.rows)


def _sum(weights: Weights) -> float:
    return sum(weight for weight, _ in weights.of(0).values())


def _values(weights: Weights, mixture: Mixture) -> dict[str, object]:
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
