"""`kanna convert` as a plan: container, precision, EMA, pruning, VAE, position ids, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Final, Literal

from kanna.dtypes import FP16, FP32, DType
from kanna.errors import Incompatible
from kanna.identity import Identity
from kanna.metadata import extended
from kanna.model import ModelFile, Note
from kanna.ops import ema, vae
from kanna.ops.draft import Draft
from kanna.ops.names import rename_keys
from kanna.ops.position_ids import set_position_ids
from kanna.ops.precision import set_precision
from kanna.ops.prune import drop_trainer_state, prune
from kanna.plan import Plan, WriteContainer

Purpose = Literal["generation", "training"]
EmaMode = Literal["keep", "drop", "use", "auto"]
IdMode = Literal["repair", "truncate", "keep", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What is wanted of the output. None means: as the purpose says, else as the input has it.

    `dtypes` is by role (``diffusion_model``, ``text_encoder``, ``vae``, ``ema``). EMA mode ``auto``
    drops the EMA, or uses it where it is the only complete model.
    """

    purpose: Purpose | None = None
    container: WriteContainer | None = None
    dtype: DType | None = None
    dtypes: Mapping[str, DType] = field(default_factory=lambda: MappingProxyType({}))
    ema: EmaMode | None = None
    prune: bool | None = None
    position_ids: IdMode | None = None
    rename_keys: bool = False
    digest: bool = True


PRESETS: Final[Mapping[Purpose | None, Conversion]] = {
    None: Conversion(container="safetensors", ema="keep", prune=False, position_ids="keep"),
    "generation": Conversion(
        container="safetensors", dtype=FP16, ema="auto", prune=True, position_ids="repair"
    ),
    "training": Conversion(
        container="safetensors", dtype=FP32, ema="keep", prune=False, position_ids="keep"
    ),
}


@dataclass(frozen=True, slots=True)
class Converted:
    """A plan, the words that its output's name should carry, and the VAE to be proved."""

    plan: Plan
    tags: tuple[str, ...]
    baked: vae.Baked | None = None


def settled(wanted: Conversion) -> Conversion:
    """Return `wanted` with everything left open filled in from its purpose."""
    preset = PRESETS[wanted.purpose]
    open_fields = {
        f.name: getattr(preset, f.name) for f in fields(wanted) if getattr(wanted, f.name) is None
    }
    return replace(wanted, **open_fields)


def convert(
    model: ModelFile,
    identity: Identity,
    wanted: Conversion,
    baked: tuple[ModelFile, Identity] | None = None,
) -> Converted:
    """Return the plan that makes `wanted` of `model`, with the VAE of `baked` inside.

    Raises:
        Incomplete: an EMA or a VAE that is asked for is not there or not whole.
        Incompatible: the file holds tensors that no conversion can write, or parts that do not fit.
    """
    _refuse_what_cannot_be_written(model)
    choice = settled(wanted)
    draft = Draft.of(model, identity)
    _apply_ema(draft, choice)
    if choice.prune:
        prune(draft)
    new_vae = None if baked is None else vae.bake(draft, *baked)
    set_position_ids(draft, choice.position_ids or "keep")
    if choice.rename_keys:
        rename_keys(draft)
    strict = wanted.dtype is not None or bool(wanted.dtypes)
    set_precision(draft, choice.dtype, choice.dtypes, strict=strict)
    extras = _extras(draft, choice)
    return Converted(_plan(draft, choice, extras), tuple(draft.tags), new_vae)


def _refuse_what_cannot_be_written(model: ModelFile) -> None:
    if model.container == "diffusers":
        raise Incompatible("convert.folder", path=model.path)
    if model.refused:
        name, why = next(iter(model.refused.items()))
        raise Incompatible(why.key, path=model.path, **{"name": name, **why.values})


def _apply_ema(draft: Draft, choice: Conversion) -> None:
    mode = choice.ema
    if mode == "auto":
        mode = "use" if ema.only_complete_model(draft) else "drop"
    if mode == "use":
        ema.use(draft)
    elif mode == "drop":
        ema.drop(draft)


def _extras(draft: Draft, choice: Conversion) -> Mapping[str, object]:
    """Return what a ckpt carries along beside its tensors."""
    keep = choice.prune is False and choice.purpose is None
    return drop_trainer_state(draft, keep=keep and choice.container == "ckpt")


def _plan(draft: Draft, choice: Conversion, extras: Mapping[str, object]) -> Plan:
    step = {"verb": "convert", "input": draft.model.path.name, **draft.done}
    metadata = extended(draft.model.metadata, step, digest=choice.digest)
    return Plan(
        outputs=tuple(draft.outputs.values()),
        container=choice.container or "safetensors",
        inputs=tuple(draft.inputs),
        metadata=metadata.fields,
        digest_fields=metadata.digest_fields,
        extras=extras,
        notes=(*draft.model.notes, *draft.notes, *metadata.notes, *_reminders(draft)),
    )


def _reminders(draft: Draft) -> tuple[Note, ...]:
    """Return what the output still lacks for making images."""
    lacking = [
        word for word in draft.identity.missing_parts
        if not (word == "vae" and "vae" in draft.roles.values())
    ]  # fmt: skip
    if not lacking:
        return ()
    return (Note("convert.still_lacks", {"parts": ", ".join(lacking)}, warning=False),)
