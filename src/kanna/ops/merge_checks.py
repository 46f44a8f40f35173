"""Pairs of models that cannot be merged: refused by what their headers say, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kanna.errors import Incompatible, Incomplete
from kanna.families import tables, title
from kanna.families.joined import vae_fits
from kanna.identity import Identity, Part
from kanna.messages import say
from kanna.model import ModelFile, TensorInfo
from kanna.ops.aligning import Aligned, Pair, alike, kinds, pairs
from kanna.ops.casting import refuse_unreadable

MODEL: Final = "diffusion_model"
_KNOWN: Final = ("certain", "likely")
# Of two models of one build, at most so large a share of the names of one is not in the other:
# FLUX dev and schnell differ in 4 of 780, SDXL and its distilled kin in a fifth and more.
_MOST_DIFFERENT: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """The first layer of a model that reads more channels than the model it is merged with."""

    name: str
    channels: int
    merged: int


def check_kind(model: ModelFile, identity: Identity) -> None:
    """Refuse what is no model by itself, or no whole one.

    Raises:
        Incompatible: it is made for another model, such as a LoRA.
        Incomplete: its diffusion model lacks tensors.
    """
    refuse_unreadable(model)
    if identity.kind in (*tables()["everywhere"]["adapters"], "training_state"):
        key = "merge.lora_as_model" if identity.kind == "lora" else "merge.no_model"
        raise Incompatible(key, path=model.path, kind=say(f"inspect.part_{identity.kind}"))
    for part in identity.parts:
        bad = (*part.missing, *part.misshapen)
        if part.role == MODEL and bad:
            raise Incomplete("merge.incomplete", path=model.path, count=len(bad),
                             names=", ".join(bad[:3]))  # fmt: skip


def check_pair(
    lead: tuple[ModelFile, Identity], other: tuple[ModelFile, Identity], *, with_vae: bool
) -> None:
    """Refuse a model that is not what the leading one is; `with_vae` says that VAEs are merged.

    Raises:
        Incompatible: they share no part that is merged, or are of other architectures, or predict
            other things, or have text encoders of other kinds.
    """
    (_, ours), (_, theirs) = lead, other
    files = lead[0], other[0]
    found = list(pairs(ours, theirs))
    if not found and (ours.parts or theirs.parts):
        raise _refusal("merge.nothing_in_common", files, ours=_what(ours), theirs=_what(theirs))
    if found and not with_vae and all(pair.lead.role == "vae" for pair in found):
        raise _refusal("merge.only_vae", files)
    for pair in found:
        if pair.lead.role == MODEL and not _same_architecture(pair):
            raise _refusal("merge.architectures", files, ours=_title(pair.lead),
                               theirs=_title(pair.other))  # fmt: skip
    one, two = ours.prediction, theirs.prediction
    if one and two and one.type != two.type and {one.certainty, two.certainty} <= set(_KNOWN):
        raise _refusal("merge.predictions", files, ours=one.type, theirs=two.type)
    _check_encoders(ours, theirs, files)


def _check_encoders(ours: Identity, theirs: Identity, files: tuple[ModelFile, ModelFile]) -> None:
    """Refuse text encoders that stand in each other's place and are of other kinds."""
    mine, others = _encoders(ours), _encoders(theirs)
    left = [part for part in mine if not any(alike(part, one) for one in others)]
    strange = [part for part in others if not any(alike(part, one) for one in mine)]
    needed = set(ours.needs or ())
    if left and strange and any(kinds(part).isdisjoint(needed) for part in (*left, *strange)):
        raise _refusal("merge.encoders", files, ours=_kinds_text(left), theirs=_kinds_text(strange))


def check_vae(pair: Pair, lead: ModelFile, other: ModelFile) -> None:
    """Refuse to merge VAEs whose latents are not the same.

    Raises:
        Incompatible: they are of such architectures.
    """
    mine, others = _architectures(pair.lead), _architectures(pair.other)
    if mine and others and not any(vae_fits(a, b) for a in mine for b in others):
        files = lead, other
        raise _refusal("merge.vaes", files, ours=_title(pair.lead), theirs=_title(pair.other))


def check_tensors(
    lead: ModelFile, other: ModelFile, found: Aligned, names: Sequence[str]
) -> Wide | None:
    """Refuse tensors that cannot be added; return the first layer where only that may differ.

    `names` are those that are to be merged.

    Raises:
        Incompatible: a shape differs, one is no number, or the models are built differently.
    """
    files = lead, other
    there = [(lead[name], found.tensors[name]) for name in names if name in found.tensors]
    for ours, theirs in there:
        if not theirs.dtype.is_float:
            raise _refusal("merge.no_numbers", files, name=ours.name, dtype=theirs.dtype.word)
    differing = [(ours, theirs) for ours, theirs in there if ours.shape != theirs.shape]
    if not differing:
        _check_build(lead, other, found)
        return None
    first, second = differing[0]
    inside = {name for pair in found.pairs if pair.lead.role == MODEL for name in pair.lead.names}
    if len(differing) > 1 or first.name not in inside or not _only_channels(first, second):
        raise _refusal("merge.shapes", files, name=first.name, ours=_by(first.shape),
                           theirs=_by(second.shape), count=len(differing))  # fmt: skip
    channels, narrow = first.shape[1], second.shape[1]
    if narrow > channels:
        raise _refusal("merge.narrow_leads", files, ours=channels, theirs=narrow)
    _check_build(lead, other, found)
    return Wide(name=first.name, channels=channels, merged=narrow)


def _check_build(lead: ModelFile, other: ModelFile, found: Aligned) -> None:
    """Refuse diffusion models that lack much of each other."""
    for pair in found.pairs:
        if pair.lead.role != MODEL:
            continue
        lacking = [name for name in pair.lead.names if name not in found.tensors]
        most = _MOST_DIFFERENT * len(pair.lead.names)
        names = lacking if len(lacking) > most else list(_strangers(pair, found))
        if len(names) > most:
            files = lead, other
            raise _refusal("merge.built_differently", files, count=len(names), name=names[0])


def _strangers(pair: Pair, found: Aligned) -> Iterator[str]:
    own = {name[len(pair.other.prefix) :] for name in pair.other.names}
    return (name for name in found.strangers if name in own)


def _refusal(key: str, files: tuple[ModelFile, ModelFile], **values: object) -> Incompatible:
    """Return the error that says why the second of `files` cannot be merged into the first."""
    lead, other = files
    return Incompatible(key, path=other.path, lead=lead.path.name, **values)


def _only_channels(first: TensorInfo, second: TensorInfo) -> bool:
    """Whether two shapes differ in the second dimension only: the channels that a layer reads."""
    one, two = first.shape, second.shape
    return min(len(one), len(two)) > 1 and (one[0], one[2:]) == (two[0], two[2:])


def _encoders(identity: Identity) -> list[Part]:
    return [part for part in identity.parts if part.role == "text_encoder"]


def _kinds_text(parts: Sequence[Part]) -> str:
    return ", ".join(sorted({str(kind or "?") for part in parts for kind in kinds(part)}))


def _same_architecture(pair: Pair) -> bool:
    mine, others = _architectures(pair.lead), _architectures(pair.other)
    return not mine or not others or not set(mine).isdisjoint(others)


def _architectures(part: Part) -> tuple[str, ...]:
    return (part.architecture,) if part.architecture else part.architecture_candidates


def _title(part: Part) -> str:
    return " / ".join(map(title, _architectures(part))) or "?"


def _what(identity: Identity) -> str:
    """Return what a file is, in a few words."""
    return say(f"inspect.part_{identity.kind}")


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
