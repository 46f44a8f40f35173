"""Chapter 4, second half: dtypes that waste room, or lose what the purpose needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kanna.dtypes import WORDS
from kanna.families import family
from kanna.findings.subject import Subject, bake, called, found
from kanna.findings.values import Finding, Repair
from kanna.identity import Part

_WIDE: Final = ("fp64", "fp32")
_HALF: Final = ("fp16", "bf16")
_FP8: Final = ("fp8_e4m3", "fp8_e5m2")
_ROLES: Final = ("diffusion_model", "text_encoder", "vae")


def wide(subject: Subject) -> Iterator[Finding]:
    """Find parts in fp32 that make the same images in half of the room."""
    for part in subject.identity.parts:
        if part.role in _ROLES and part.dtype in _WIDE and not _stays_wide(subject, part):
            half = half_of(subject, part)
            saved = sum(n - n * 16 // WORDS[w].bits for w, n in part.dtypes.items() if w in _WIDE)
            yield found("KN403", size=saved, repair=_cast(subject, {part.role: half}),
                        part=called(part), dtype=part.dtype, half=half)  # fmt: skip


def narrow(subject: Subject) -> Iterator[Finding]:
    """Find a model that training would start from with fewer digits than it was made with."""
    part = subject.identity.part("diffusion_model")
    if part is not None and part.dtype in (*_HALF, *_FP8):
        yield found("KN404", part=called(part), dtype=part.dtype)


def mixed(subject: Subject) -> Iterator[Finding]:
    """Find large fp32 tensors in a part that is in half precision otherwise."""
    for part in subject.identity.parts:
        if part.role not in _ROLES or part.dtype not in _HALF or part.quantization:
            continue
        if part.dtypes.keys().isdisjoint(_WIDE):
            continue
        ids = {key.name for key in subject.identity.position_ids.keys}
        strangers = tuple(
            name for name in part.names
            if len((tensor := subject.model[name]).shape) > 1 and tensor.dtype.word in _WIDE
            and name not in ids
        )  # fmt: skip
        if strangers:
            saved = sum(subject.model[n].nbytes - subject.model[n].numel * 2 for n in strangers)
            yield found("KN405", names=strangers, size=saved, part=called(part),
                        count=len(strangers), dtype=part.dtype, name=strangers[0],
                        repair=_evened(subject, part))  # fmt: skip


def eighths(subject: Subject) -> Iterator[Finding]:
    """Find fp8 where it does harm: in a VAE, and in norms and biases."""
    for part in subject.identity.parts:
        if part.role == "vae" and part.dtype in _FP8:
            yield found("KN406", dtype=part.dtype, command=bake(subject))
        elif not part.scaled and not part.dtypes.keys().isdisjoint(_FP8):
            small = tuple(
                name for name in part.names
                if len((tensor := subject.model[name]).shape) == 1 and tensor.dtype.word in _FP8
            )  # fmt: skip
            if small:
                yield found("KN407", names=small, part=called(part), count=len(small),
                            name=small[0])  # fmt: skip


def overflowing_vae(subject: Subject) -> Iterator[Finding]:
    """Find a VAE in fp16 whose activations do not fit there."""
    part, known = subject.identity.part("vae"), subject.vae
    if part is None or not _overflows(part) or part.dtype != "fp16":
        return
    if known is None or known.state != "fp16-fix":
        yield found("KN408", command=bake(subject))


def half_of(subject: Subject, part: Part) -> str:
    """Return the 16-bit dtype that a part takes; what was measured comes before the table."""
    measures = subject.measures or {}
    same = [p for p in subject.identity.parts if p.role == part.role]
    if any(name in measures and measures[name].beyond for p in same for name in p.names):
        return "bf16"
    words = (part.architecture, subject.identity.architecture)
    known = [one for word in words if (one := family(word or "")) is not None]
    return next((one.half for one in known if one.half != "fp16"), "fp16")


def _stays_wide(subject: Subject, part: Part) -> bool:
    """Whether a part is better left in fp32: one that cannot be cast, a VAE that fp16 does not fit.

    bf16 is too coarse for a VAE.
    """
    if part.role != "vae":
        return part.scaled
    return part.scaled or _overflows(part) or half_of(subject, part) == "bf16"


def _overflows(vae: Part) -> bool:
    """Whether the activations of a VAE leave the range of fp16."""
    known = family(vae.architecture or "")
    return known is not None and known.vae_overflows


def _evened(subject: Subject, part: Part) -> Repair | None:
    """Casting goes by role: parts of one role that differ stay as they are."""
    same = {other.dtype for other in subject.identity.parts if other.role == part.role}
    return _cast(subject, {part.role: str(part.dtype)}) if len(same) == 1 else None


def _cast(subject: Subject, dtypes: Mapping[str, str]) -> Repair:
    """Return the cast; fields and a file name that speak of the old dtype go with it."""
    options: dict[str, object] = {"dtypes": dict(dtypes)}
    if subject.model.metadata:
        from kanna.findings.metadata import precision_fields

        if fields := precision_fields(subject.model.metadata):
            options["drop_metadata"] = tuple(fields)
    return Repair(options=options, name=True)
