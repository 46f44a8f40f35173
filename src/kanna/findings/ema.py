"""Chapter 3: the averaged copy of the model that training keeps."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Final

from kanna.findings.subject import Subject, found, mend
from kanna.findings.values import Finding, Repair
from kanna.identity import Ema, Identity

# Who merges writes one of these. Sources: AUTOMATIC1111 modules/extras.py, ljleb/sd-mecha,
# ModelSpec 1.0.
_RECIPES: Final = ("sd_merge_recipe", "sd_merge_models", "mecha_recipe", "modelspec.merged_from")
# Small tensors whose distance from their copies is measured; a copy in training stays closer.
_SAMPLE: Final = 16
_SAMPLE_BYTES: Final = 1 << 14
_FAR: Final = 0.5


def only_copy(identity: Identity) -> bool:
    """Whether the averaged copy is whole and the model beside it is not, or not there."""
    part = identity.part("diffusion_model")
    return bool(identity.ema.complete) and (part is None or part.complete is False)


def presence(subject: Subject) -> Iterator[Finding]:
    """Find a copy that the purpose has no use for, and tensors that only look like one."""
    identity, ema = subject.identity, subject.identity.ema
    if ema.pairs:
        what, size = ("alone", _replaced(identity)) if only_copy(identity) else ("found", ema.bytes)
        yield found("KN301", what, size=size, repair=_away(identity), count=len(ema.pairs))
    if ema.unmatched:
        yield found("KN306", names=ema.unmatched, count=len(ema.unmatched), name=ema.unmatched[0])


def absence(subject: Subject) -> Iterator[Finding]:
    """Find that there is no copy in a file that could have one."""
    identity = subject.identity
    if not identity.ema.pairs and identity.kind in {"checkpoint", "diffusion_model"}:
        yield found("KN304")


def worth(subject: Subject) -> Iterator[Finding]:
    """Find a copy that is not whole, or not of the model beside it."""
    identity, ema = subject.identity, subject.identity.ema
    if not ema.pairs or only_copy(identity):
        return
    repair = _away(identity)
    if ema.missing:
        yield found("KN302", names=ema.missing, size=ema.bytes, repair=repair,
                    count=len(ema.missing), whole=len(ema.missing) + len(ema.pairs))  # fmt: skip
    recipe = next((key for key in _RECIPES if key in subject.model.metadata), None)
    if recipe is not None:
        yield found("KN303", "recipe", size=ema.bytes, repair=repair, key=recipe)
    elif identity.position_ids.state in {"damaged", "float"}:
        yield found("KN303", "ids", size=ema.bytes, repair=repair)
    elif subject.measures is not None and (far := _distance(subject, ema)) > _FAR:
        yield found("KN303", "far", size=ema.bytes, repair=repair, distance=f"{far:.2f}")


def equality(subject: Subject) -> Iterator[Finding]:
    """Find a copy that is the model over again, tensor for tensor, by checksum."""
    ema, measures = subject.identity.ema, subject.measures or {}
    same = ema.complete and all(
        one in measures and two in measures and measures[one].checksum == measures[two].checksum
        for one, two in ema.pairs.items()
    )
    if same and not only_copy(subject.identity):
        yield found("KN305", size=ema.bytes, repair=_away(subject.identity))


def _replaced(identity: Identity) -> int:
    """Return the bytes of the model whose place the copy takes."""
    return sum(part.bytes for part in identity.parts if part.role == "diffusion_model")


def _away(identity: Identity) -> Repair:
    return mend(ema="use" if only_copy(identity) else "drop")


def _distance(subject: Subject, ema: Ema) -> float:
    """Return how far some small tensors lie from their copies, as a part of their own length."""
    model = subject.model
    near = [
        (model[one], model[two]) for one, two in ema.pairs.items()
        if one in model and 0 < model[one].nbytes <= _SAMPLE_BYTES
    ]  # fmt: skip
    apart = length = 0.0
    for one, other in near[:: max(1, len(near) // _SAMPLE)]:
        ours, theirs = one.numbers(), other.numbers()
        if ours is None or theirs is None or len(ours) != len(theirs):
            continue
        apart += sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True))
        length += sum(a * a for a in ours)
    return sqrt(apart / length) if length else 0.0
