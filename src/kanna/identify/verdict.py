"""From parts to a verdict on the whole file: kind, architecture, variant, prediction, certainty."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kanna.families import Choice, family, row_called, tables, title
from kanna.identify.parts import variant_rows
from kanna.identify.peek import deviation
from kanna.identity import Certainty, Part, Prediction
from kanna.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kanna.families import Family
    from kanna.identify.choose import Names
    from kanna.identify.claims import Claim
    from kanna.identify.peek import Peek
    from kanna.identity import Published
    from kanna.model import TensorInfo


@dataclass(slots=True, kw_only=True, eq=False)
class Verdict:
    """What is known of the whole file so far; `evidence` says how.

    `doubtful` is a verdict that rests on what the file lacks, or on too little that it has.
    """

    kind: str = "unknown"
    layout: str | None = None
    main: Part | None = None
    architectures: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    prediction: Prediction | None = None
    several: bool = False
    proved: bool = False
    doubtful: bool = False
    row: Choice | None = None
    evidence: list[Note] = field(default_factory=list)

    @property
    def architecture(self) -> str | None:
        """The architecture, where exactly one is left."""
        return self.architectures[0] if len(self.architectures) == 1 else None

    @property
    def diffusion(self) -> bool:
        """Whether the file's main part is a diffusion model."""
        return self.main is not None and self.main.role == "diffusion_model"

    @property
    def family(self) -> Family | None:
        """What the tables know of the architecture, where the main part is a diffusion model."""
        return family(self.architecture or "") if self.diffusion else None

    @property
    def tasks(self) -> tuple[str, ...]:
        """What the file is good for."""
        of_variant = self.row.tasks if self.row else ()
        return of_variant or (self.family.tasks if self.family else ())

    @property
    def certainty(self) -> Certainty:
        """How sure kind and architecture are."""
        if self.several or (len(self.architectures) > 1):
            return "ambiguous"
        if self.main is None:
            return "unknown"
        return "likely" if self.main.complete is False or self.doubtful else "certain"

    def tell(self, key: str, /, **values: object) -> None:
        """Add a sentence of evidence."""
        self.evidence.append(Note(f"identity.{key}", values, warning=False))


def judge(parts: Sequence[Part], names: Names) -> Verdict:
    """Return kind, layout, architecture and variant as the tensors alone tell them."""
    verdict = Verdict(kind=_kind(parts), layout=_layout(parts))
    verdict.main = main = _main(parts)
    if main is None:
        return verdict
    verdict.architectures = main.architecture_candidates
    verdict.variants = main.variant_candidates
    rivals = [part for part in parts if part.role == main.role == "diffusion_model"]
    if len(rivals) > 1:
        verdict.several = True
        verdict.architectures = _words(part.architecture for part in rivals)
        verdict.variants = ()
        listed = ", ".join(f"{title(p.architecture or '?')} [{p.prefix}]" for p in rivals)
        verdict.tell("several", what=listed)
    elif main.role == "diffusion_model" and not main.variant_candidates:
        rows = variant_rows(main, names, verdict.layout)
        verdict.row = rows[0] if len(rows) == 1 else None
        verdict.variants = _words(word for row in rows for word in row.names)
    elif len(main.architecture_candidates) > 1 and not main.variant_candidates:
        verdict.variants = main.architecture_candidates
    return verdict


def remember(verdict: Verdict, published: Published) -> None:
    """Let the file's own hash settle what the tensors leave open: it is that very file."""
    word, variant = published.architecture, published.variant
    if word is not None and verdict.architectures and word not in verdict.architectures:
        what = " / ".join(map(title, verdict.architectures))
        verdict.tell("published_differs", name=published.name, value=title(word), what=what)
        return
    verdict.tell("published", name=published.name)
    if word is None or not verdict.architectures or verdict.several:
        return
    shared = verdict.row is not None and verdict.row.shared_with is not None
    if len(verdict.architectures) > 1:
        open_words, verdict.architectures = verdict.architectures, (word,)
        left = tuple(other for other in verdict.variants if other not in open_words)
        verdict.variants = (variant,) if variant else left
        verdict.proved = True
    elif variant and (shared or len(verdict.variants) > 1):
        verdict.variants = (variant,)
        verdict.proved = True


def hear(verdict: Verdict, claims: Iterable[Claim]) -> None:
    """Let metadata settle what the tensors leave open; note where it contradicts them."""
    for claim in () if verdict.proved else claims:
        if claim.architecture is None or not verdict.architectures:
            continue
        if claim.architecture not in verdict.architectures:
            what = " / ".join(map(title, verdict.architectures))
            verdict.tell("metadata_differs", key=claim.key, value=claim.value, what=what)
            continue
        shared = verdict.row is not None and verdict.row.shared_with is not None
        left = tuple(word for word in verdict.variants if word in claim.variants)
        if len(verdict.architectures) > 1:
            open_words, verdict.architectures = verdict.architectures, (claim.architecture,)
            verdict.variants = left or tuple(w for w in verdict.variants if w not in open_words)
            verdict.tell("metadata_settles", key=claim.key, value=claim.value)
        elif claim.variants and (left or shared) and set(claim.variants) != set(verdict.variants):
            verdict.variants = left or claim.variants
            verdict.tell("metadata_settles", key=claim.key, value=claim.value)
        elif claim.variants and not left and verdict.diffusion:
            what = " / ".join(verdict.variants)
            verdict.tell("metadata_differs", key=claim.key, value=claim.value, what=what)


def look(verdict: Verdict, model: Mapping[str, TensorInfo], peek: Peek) -> dict[str, str]:
    """Let a vector's spread settle what is still open; return the prediction it speaks for.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    known = verdict.family
    if known is None or verdict.main is None or len(verdict.variants) < 2:
        return {}
    for row in known.peeks:
        for name in row["any"]:
            tensor = model.get(verdict.main.prefix + name)
            values = peek.values(tensor) if tensor else None
            spread = deviation(values) if values else None
            if spread is None:
                continue
            side = row["above"] if spread > row["deviation"] else row["below"]
            left = tuple(word for word in verdict.variants if word in side["variants"])
            if left:
                verdict.variants = left
                verdict.tell("peek_deviation", name=name, value=spread, limit=row["deviation"],
                             what=" / ".join(left))  # fmt: skip
                return {"type": side["prediction"], "name": name}
    return {}


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


def _settled(part: Part, architectures: tuple[str, ...], variants: tuple[str, ...]) -> Part:
    return replace(
        part,
        architecture=architectures[0] if len(architectures) == 1 else None,
        architecture_candidates=architectures,
        variant=variants[0] if len(variants) == 1 else None,
        variant_candidates=variants,
    )


def _kind(parts: Sequence[Part]) -> str:
    roles = {part.role for part in parts}
    everywhere = tables()["everywhere"]
    if "diffusion_model" in roles and roles & set(everywhere["checkpoint_parts"]):
        return "checkpoint"
    return next((role for role in everywhere["kinds"] if role in roles), "unknown")


def _main(parts: Sequence[Part]) -> Part | None:
    """The largest part of the role that makes the file's kind."""
    kinds = tables()["everywhere"]["kinds"]
    ranked = [part for part in parts if part.role in kinds]
    first = min((kinds.index(part.role) for part in ranked), default=None)
    same = [part for part in ranked if kinds.index(part.role) == first]
    return max(same, key=lambda part: part.bytes, default=None)


def _layout(parts: Sequence[Part]) -> str | None:
    for row in tables()["everywhere"]["layout"]:
        for part in parts:
            if row["prefix"] in part.prefix and row.get("component") in {None, part.component}:
                return str(row["name"])
    main = _main(parts)
    return main.layout if main else None


def _likely(kind: str, why: str, /, **values: object) -> Prediction:
    note = Note(f"identity.prediction_{why}", values, warning=False)
    return Prediction(type=kind, certainty="likely", why=note)


def _words(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
