"""Chapter 5: what the numbers themselves tell; every weight is read for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from kanna.families import tables
from kanna.findings.facts import Measure
from kanna.findings.precision import half_of
from kanna.findings.subject import Subject, called, found, mend
from kanna.findings.values import Finding
from kanna.identity import Part

_FEWEST: Final = 16  # elements: fewer may be alike by chance


def infinities(subject: Subject) -> Iterator[Finding]:
    """Find NaN and Inf."""
    measures = subject.measures or {}
    vae = subject.identity.part("vae")
    elsewhere = frozenset(vae.names if vae is not None else ())  # a rule of its own
    hit = tuple(n for n, m in measures.items() if (m.nan or m.inf) and n not in elsewhere)
    if hit:
        nan, inf = (sum(getattr(measures[n], kind) for n in hit) for kind in ("nan", "inf"))
        yield found("KN501", names=hit, count=len(hit), nan=nan, inf=inf, name=hit[0])


def overflows(subject: Subject) -> Iterator[Finding]:
    """Find numbers of fp32 tensors that fp16 cannot hold; bf16 can."""
    for part in subject.identity.parts:
        hit = _names(subject, part, lambda _, m: bool(m.beyond), wide=True)
        if hit and not part.scaled:
            measures = subject.measures or {}
            half = half_of(subject, part)
            repair = mend(dtypes={part.role: half}) if part.role in _CAST else None
            yield found("KN502", names=hit, count=sum(measures[n].beyond for n in hit),
                        part=called(part), name=hit[0], repair=repair)  # fmt: skip


def empty(subject: Subject) -> Iterator[Finding]:
    """Find weights that hold one number only: lost, or never trained."""
    for part in subject.identity.parts:
        zero = _names(subject, part, lambda name, m: m.zero and not _rightly(name))
        alike = _names(subject, part, lambda name, m: m.alike and not m.zero and not _rightly(name))
        for code, names in (("KN503", zero), ("KN504", alike)):
            if names:
                yield found(code, names=names, count=len(names), part=called(part), name=names[0])


_CAST: Final = ("diffusion_model", "text_encoder", "vae")


def _names(
    subject: Subject, part: Part, holds: Callable[[str, Measure], bool], *, wide: bool = False
) -> tuple[str, ...]:
    """Return the part's weights of which something holds: matrices, or with `wide` all of fp32."""
    model, measures = subject.model, subject.measures or {}
    return tuple(
        name
        for name in part.names
        if name in measures
        and holds(name, measures[name])
        and (
            model[name].dtype.word in {"fp32", "fp64"}
            if wide
            else len(model[name].shape) > 1 and model[name].numel >= _FEWEST
        )
    )


def _rightly(name: str) -> bool:
    """Whether a weight is zero or constant in whole models, too."""
    return _constant().search(name) is not None


@cache
def _constant() -> re.Pattern[str]:
    return re.compile("|".join(tables()["everywhere"]["constant"]["patterns"]))
