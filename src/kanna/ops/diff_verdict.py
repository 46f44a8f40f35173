"""A verdict on two models, as data: what B is, how sure that is, and what tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kanna.identity import said
from kanna.messages import say
from kanna.model import Note

Certainty = Literal["certain", "likely"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing that is true of B, seen from A.

    `kind` is a word that never changes, `note` the sentence, `evidence` what it rests on. `values`
    are what programs want of it, as plain data.
    """

    kind: str
    note: Note
    certainty: Certainty = "certain"
    evidence: tuple[Note, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change, sentences are in the language in force."""
        return {
            "kind": self.kind, "certainty": self.certainty, "sentence": said(self.note),
            "evidence": [said(note) for note in self.evidence], "values": dict(self.values),
        }  # fmt: skip


def verdict(kind: str, certainty: Certainty = "certain", *, evidence: tuple[Note, ...] = (),
            values: Mapping[str, object] | None = None, **given: object) -> Verdict:  # fmt: skip
    """Return the verdict `kind`, whose sentence is the message ``diff.is_KIND`` with `given`."""
    return Verdict(kind=kind, certainty=certainty, note=Note(f"diff.is_{kind}", given),
                   evidence=evidence, values=given if values is None else values)  # fmt: skip


def letter(place: int) -> str:
    """Return what the file in this `place` is called: A, B, then the candidates C … Z."""
    return chr(ord("A") + place)


def number(value: float) -> str:
    """Return a weight or a share as people write it: four digits, no zeros behind them."""
    return f"{round(value, 4) + 0.0:.4g}"


def percent(share: float) -> str:
    """Return a share in percent, with three digits."""
    return f"{100 * share:.3g} %"


def part_name(part: tuple[str, str]) -> str:
    """Return what people call a part, by its role and word, in the language in force."""
    role, word = part
    if role in ("ema", "position_ids", "junk", "marker", "other"):
        return say(f"diff.role_{role}")
    name = say(f"inspect.part_{role}")
    return name if word in {role, ""} else f"{name} {word}"
