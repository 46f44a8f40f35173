"""What follows from a verdict: what the model predicts and needs, what its parts are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kanna.families import row_called, title
from kanna.identify.evidence import tell_base
from kanna.identity import Part, Prediction
from kanna.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.identify.choose import Names
    from kanna.identify.claims import Claim
    from kanna.identify.peek import Peek
    from kanna.identify.verdict import Verdict
    from kanna.model import ModelFile


def predict(
    verdict: Verdict,
    names: Names,
    claims: Iterable[Claim],
    peeked: Mapping[str, str],
) -> Prediction | None:
    """Return what the model predicts: by marker, metadata, variant, peek, or what is usual."""
    known = verdict.family
    if known is None or verdict.main is None:
        return None
    row = names.choose(known.predictions, verdict.main.prefix)
    if row and row.name and row.certainty == "certain":
        why = Note(f"identity.prediction_{row.why}", warning=False)
        return Prediction(type=row.name, certainty="certain", why=why)
    for claim in claims:
        if claim.prediction and claim.architecture in {None, verdict.architecture}:
            return _likely(claim.prediction, "metadata", key=claim.key, value=claim.value)
    trained = row_called(verdict.main.component).prediction or (
        verdict.row.prediction if verdict.row else None
    )
    if trained:
        return _likely(trained, "variant")
    told = _variant_prediction(verdict) if verdict.proved else None
    if told:
        return _likely(told, "variant")
    if peeked:
        return _likely(peeked["type"], "peek", name=peeked["name"])
    return _likely(row.name, row.why) if row and row.name else None


def _variant_prediction(verdict: Verdict) -> str | None:
    """Return what the one variant left predicts, where a peek would have told it from others."""
    peeks = verdict.family.peeks if verdict.family else ()
    for side in (row[word] for row in peeks for word in ("above", "below")):
        if len(verdict.variants) == 1 and verdict.variants[0] in side["variants"]:
            return str(side["prediction"])
    return None


def needed(verdict: Verdict) -> tuple[str, ...] | None:
    """Return the words of the parts that the architecture needs, or None where that is unknown."""
    if verdict.main is None or verdict.architecture is None:
        return None
    if not verdict.diffusion:
        return ()
    of_row = row_called(verdict.main.component).needs
    of_family = verdict.family.needs if verdict.family else None
    return (verdict.row.needs if verdict.row else ()) or of_row or of_family


def with_context(parts: Iterable[Part], verdict: Verdict) -> tuple[Part, ...]:
    """Name the VAE after the diffusion model beside it, and the main part after the verdict."""
    known = verdict.family
    told = []
    for part in parts:
        if part is verdict.main and not verdict.several:
            told.append(_settled(part, verdict.architectures, verdict.variants))
        elif (
            part.role == "vae"
            and known
            and part.architecture is None
            and known.vae in part.architecture_candidates
        ):
            told.append(_settled(part, (known.vae,), part.variant_candidates))
            verdict.tell("context", what=title(known.vae))
        else:
            told.append(part)
    return tuple(told)


def with_adapters(
    parts: Iterable[Part], verdict: Verdict, model: ModelFile, peek: Peek
) -> tuple[Part, ...]:
    """Fill in what adapters say of themselves; one of no known base makes the verdict baseless.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    filled = []
    for part in parts:
        if part.adapter is None:
            filled.append(part)
            continue
        from kanna.identify.adapter import with_details  # few files are adapters

        detailed, wrong = with_details(part, part.adapter, model, peek)
        filled.append(detailed)
        verdict.baseless |= not part.architecture_candidates
        tell_base(verdict, part, part.adapter)
        verdict.evidence += wrong
    return tuple(filled)


def _settled(part: Part, architectures: tuple[str, ...], variants: tuple[str, ...]) -> Part:
    return replace(
        part,
        architecture=architectures[0] if len(architectures) == 1 else None,
        architecture_candidates=architectures,
        variant=variants[0] if len(variants) == 1 else None,
        variant_candidates=variants,
    )


def _likely(kind: str, why: str, /, **values: object) -> Prediction:
    note = Note(f"identity.prediction_{why}", values, warning=False)
    return Prediction(type=kind, certainty="likely", why=note)
