"""Chapter 2: is everything there, in the right shape, under the names that programs read?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kanna.families import family, title
from kanna.families.old_names import renamed
from kanna.findings.subject import Subject, bake, called, found, mend
from kanna.findings.values import Finding, Repair
from kanna.identity import Part
from kanna.messages import ranges

_IDS: Final = mend(position_ids="repair")


def tensors(subject: Subject) -> Iterator[Finding]:
    """Find tensors that are not there, of another shape, or of no known model."""
    for part in subject.identity.parts:
        if part.missing:
            yield found("KN201", names=part.missing, repair=_from_copy(subject, part),
                        part=called(part), count=len(part.missing),
                        name=part.missing[0])  # fmt: skip
        if part.misshapen:
            yield found("KN202", names=part.misshapen, part=called(part),
                        count=len(part.misshapen), name=part.misshapen[0])  # fmt: skip
    left = subject.identity.unrecognised
    if left:
        size = sum(subject.model[name].nbytes for name in left)
        yield found("KN208", names=left, size=size, count=len(left), name=left[0])


def models(subject: Subject) -> Iterator[Finding]:
    """Find files with several models of one rank, and files of no model at all."""
    identity = subject.identity
    if identity.kind == "unknown":
        yield found("KN210")
    rivals = [part for part in identity.parts if part.role == "diffusion_model"]
    if len(rivals) > 1:
        listed = ", ".join(f"{title(p.architecture or '?')} [{p.prefix}]" for p in rivals)
        yield found("KN209", models=listed)


def parts(subject: Subject) -> Iterator[Finding]:
    """Find what the file lacks for making images; a bare diffusion model is meant to lack it.

    Text encoders of the later architectures are large, shared, and handed out apart.
    """
    identity = subject.identity
    lacking, known = identity.missing_parts, family(identity.architecture or "")
    if identity.kind == "checkpoint" and lacking:
        command = bake(subject) if lacking == ("vae",) else ()
        usual = known is None or not known.whole
        yield replace(found("KN207", parts=", ".join(lacking), command=command), aside=usual)


def position_ids(subject: Subject) -> Iterator[Finding]:
    """Find position ids that a merge damaged, that are no integers, or that are not there."""
    identity = subject.identity
    for key in identity.position_ids.keys:
        if key.wrong:
            yield found("KN203", names=(key.name,), repair=_IDS, wrong=ranges(key.wrong),
                        name=key.name)  # fmt: skip
        elif key.state in {"float", "damaged"}:
            yield found("KN204", names=(key.name,), repair=_IDS, dtype=key.dtype, name=key.name)
    known = family(identity.architecture or "")
    clip = identity.part("text_encoder")
    asked = known is not None and known.position_ids and identity.kind == "checkpoint"
    if asked and clip is not None and not identity.position_ids.keys:
        yield found("KN205")


def names(subject: Subject) -> Iterator[Finding]:
    """Find tensors under names of an old layout, NAI's for one."""
    for part in subject.identity.parts:
        old = tuple(renamed(part.names, part.prefix, part.layout))
        if old:
            yield found("KN206", names=old, repair=mend(rename_keys=True), part=called(part),
                        count=len(old), name=old[0])  # fmt: skip


def _from_copy(subject: Subject, part: Part) -> Repair | None:
    """The averaged copy can stand in for a model that is not whole."""
    if not subject.identity.ema.complete:
        return None
    from kanna.findings.ema import only_copy

    whole = part.role == "diffusion_model" and only_copy(subject.identity)
    return mend(ema="use") if whole else None
