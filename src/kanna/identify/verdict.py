"""From parts to a verdict on the whole file: kind, architecture, variant, certainty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kanna.families import Choice, family, tables, title
from kanna.identify.parts import variant_rows
from kanna.identity import Certainties, Certainty, Part
from kanna.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kanna.families import Family
    from kanna.identify.choose import Names


@dataclass(slots=True, kw_only=True, eq=False)
class Verdict:
    """What is known of the whole file so far; `evidence` says how.

    `several` says that the file holds more than one diffusion model, or a mixture of them; `proved`
    that its own hash settled something. `row` is the one row of variants that the main part fits.
    `doubtful` is a verdict that rests on what the file lacks, or on too little that it has;
    `baseless` is one on an adapter that no model is known to fit. `choice` are the variants that
    the tensors left open.
    """

    kind: str = "unknown"
    layout: str | None = None
    main: Part | None = None
    architectures: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    several: bool = False
    proved: bool = False
    doubtful: bool = False
    baseless: bool = False
    choice: tuple[str, ...] = ()
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
        return "likely" if self.baseless else self._by_tensors

    @property
    def certainties(self) -> Certainties:
        """How sure kind, architecture and variant are, each by itself.

        What metadata or a few numbers chose among candidates is likely; the file's own hash proves.
        """
        if self.main is None:
            return Certainties()
        shared = self.row is not None and self.row.shared_with is not None
        open_words = len(self.main.architecture_candidates) > 1
        architecture = self._one_of(self.architectures, chosen=open_words)
        return Certainties(
            kind=self._by_tensors,
            architecture="ambiguous" if self.several else architecture,
            variant=self._one_of(self.variants, chosen=shared or len(self.choice) > 1),
        )

    def _one_of(self, words: tuple[str, ...], *, chosen: bool) -> Certainty:
        """How sure the one of `words` is; `chosen` is one that the tensors do not name alone."""
        if len(words) != 1:
            return "ambiguous" if words else "unknown"
        if self.proved:
            return "certain"
        return "likely" if chosen else self._by_tensors

    @property
    def _by_tensors(self) -> Certainty:
        whole = self.main is not None and self.main.complete is not False
        return "certain" if whole and not self.doubtful else "likely"

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
    verdict.choice = verdict.variants
    return verdict


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


def _words(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
