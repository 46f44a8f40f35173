"""`kanna convert` as a plan: container, precision, EMA, pruning, VAE, position ids, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal, get_args

from kanna.dtypes import FP16, FP32, DType
from kanna.errors import Incompatible
from kanna.formats.ggml_types import BlockType
from kanna.identity import Identity, Part
from kanna.messages import say
from kanna.metadata import extended
from kanna.model import ModelFile, Note
from kanna.ops import ema, embedding, gguf, vae
from kanna.ops.casting import dtype_called, dtypes_called, known_word, refuse_unreadable
from kanna.ops.dequantise import plain_parts
from kanna.ops.draft import Draft
from kanna.ops.markers import add_markers
from kanna.ops.names import rename_keys
from kanna.ops.position_ids import set_position_ids
from kanna.ops.precision import set_precision
from kanna.ops.prune import drop_trainer_state, prune
from kanna.plan import Plan, WriteContainer

Purpose = Literal["generation", "training"]
EmaMode = Literal["keep", "drop", "use"]
IdMode = Literal["repair", "truncate", "keep", "drop"]
CHOICES: Final = {
    "purpose": get_args(Purpose),
    "container": get_args(WriteContainer),
    "ema": get_args(EmaMode),
    "position_ids": get_args(IdMode),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """What is wanted of the output. None means: as the purpose says, else as the input has it.

    `dtype` and the values of `dtypes` are words (``fp32 fp16 bf16 fp8_e4m3 fp8_e5m2``); the keys of
    `dtypes` are roles (``diffusion_model``, ``text_encoder``, ``vae``, ``ema``). `markers` are
    empty tensors to be put in, `drop_metadata` fields to be left out. Without `digest` no SHA-256
    of the data is computed.
    """

    purpose: Purpose | None = None
    container: WriteContainer | None = None
    dtype: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ema: EmaMode | None = None
    prune: bool | None = None
    position_ids: IdMode | None = None
    rename_keys: bool = False
    markers: tuple[str, ...] = ()
    drop_metadata: tuple[str, ...] = ()
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What a purpose asks for; options replace its fields.

    EMA mode ``auto`` drops the EMA, or uses it where it is the only complete model.
    """

    container: WriteContainer = "safetensors"
    dtype: DType | None = None
    ema: EmaMode | Literal["auto"] = "keep"
    prune: bool = False
    position_ids: IdMode = "keep"


PRESETS: Final[Mapping[Purpose | None, Preset]] = {
    None: Preset(),
    "generation": Preset(dtype=FP16, ema="auto", prune=True, position_ids="repair"),
    "training": Preset(dtype=FP32),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the words that its output's name should carry, and the VAE to be proved."""

    plan: Plan
    tags: tuple[str, ...]
    baked: vae.Baked | None = None


def settled(options: ConvertOptions) -> Preset:
    """Return the purpose's preset with every option that is given in its place.

    Raises:
        UsageError: an option has a word that it does not know.
    """
    for name, words in CHOICES.items():
        if (word := getattr(options, name)) is not None:
            known_word(name, word, words)
    given = {
        "container": options.container,
        "dtype": dtype_called(options.dtype) if options.dtype else None,
        "ema": options.ema,
        "prune": options.prune,
        "position_ids": options.position_ids,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(PRESETS[options.purpose], **chosen)  # type: ignore[arg-type]


def convert(
    model: ModelFile,
    identity: Identity,
    options: ConvertOptions,
    baked: tuple[ModelFile, Identity] | None = None,
) -> Planned:
    """Return the plan that makes what `options` ask for, with the VAE of `baked` inside.

    Raises:
        UsageError: an option makes no sense.
        Incomplete: an EMA or a VAE that is asked for is not there or not whole.
        Incompatible: the file holds tensors that no conversion can write, or parts that do not fit.
    """
    refuse_what_cannot_be_written(model)
    wanted = to_be_decoded(model, identity, options)
    draft = Draft.of(*plain_parts(model, identity, wanted))
    tell_decoded(draft, wanted)
    return finished(draft, options, baked, {"verb": "convert", "input": model.path.name})


def finished(
    draft: Draft,
    options: ConvertOptions,
    baked: tuple[ModelFile, Identity] | None,
    step: Mapping[str, object],
) -> Planned:
    """Return the plan that makes what `options` ask for of `draft`; `step` begins its record.

    Raises:
        UsageError: an option makes no sense.
        Incomplete: an EMA or a VAE that is asked for is not there or not whole.
        Incompatible: it holds tensors that the container cannot, or parts that do not fit.
    """
    choice = settled(options)
    by_role = dtypes_called(options.dtypes)
    _apply_ema(draft, choice)
    if choice.prune:
        prune(draft)
    new_vae = None if baked is None else vae.bake(draft, *baked)
    set_position_ids(draft, choice.position_ids)
    if options.rename_keys:
        rename_keys(draft)
    if choice.container == "safetensors":
        embedding.flatten(draft)
    add_markers(draft, options.markers)
    set_precision(draft, choice.dtype, by_role, strict=_strict(options))
    # for a purpose only the model itself is wanted, and only a ckpt has a place for more
    keep = options.purpose is None and not choice.prune and choice.container == "ckpt"
    extras = drop_trainer_state(draft, keep=keep)
    if choice.container == "gguf":
        extras = gguf.lay_out(draft)
    else:
        _refuse_blocks(draft)
    plan = _plan(draft, choice.container, extras, options, step)
    return Planned(plan, tuple(draft.tags), new_vae)


def tell_decoded(draft: Draft, parts: Iterable[Part]) -> None:
    """Say of `parts` that they were quantised and are plain numbers now."""
    for part in parts:
        draft.note("quantize.now_plain", part=say(f"inspect.part_{part.role}"),
                   scheme=part.quantization)  # fmt: skip


def _strict(options: ConvertOptions) -> bool:
    """Whether a dtype was asked for by name, not by a purpose."""
    return options.dtype is not None or bool(options.dtypes)


def to_be_decoded(model: ModelFile, identity: Identity, options: ConvertOptions) -> list[Part]:
    """Return the parts that are to be cast, and mean nothing without what stands beside them.

    Raises:
        UsageError: an option makes no sense.
    """
    default, by_role = settled(options).dtype, dtypes_called(options.dtypes)
    return [
        part
        for part in identity.parts
        if _strict(options)
        and part.scaled
        and by_role.get(part.role, default) is not None
        and not any(isinstance(model[name].dtype, BlockType) for name in part.names)
    ]


def refuse_what_cannot_be_written(model: ModelFile) -> None:
    """Refuse folders of several models, and files with tensors that nothing here can write.

    Raises:
        Incompatible: it is one.
    """
    if model.container == "diffusers":
        raise Incompatible("convert.folder", path=model.path)
    refuse_unreadable(model)


def _refuse_blocks(draft: Draft) -> None:
    """Refuse to write what only a GGUF can hold.

    Raises:
        Incompatible: nobody said what the numbers should become.
    """
    for output in draft.outputs.values():
        if isinstance(output.dtype, BlockType):
            path = draft.model.path
            raise Incompatible("gguf.needs_dtype", path=path, type=output.dtype.word)


def _apply_ema(draft: Draft, choice: Preset) -> None:
    mode = choice.ema
    if mode == "auto":
        mode = "use" if ema.only_complete_model(draft) else "drop"
    if mode == "use":
        ema.use(draft)
    elif mode == "drop":
        ema.drop(draft)


def _plan(
    draft: Draft,
    container: WriteContainer,
    extras: Mapping[str, object],
    options: ConvertOptions,
    step: Mapping[str, object],
) -> Plan:
    kept = _kept_metadata(draft, options.drop_metadata)
    metadata = extended(gguf.own_fields(kept), {**step, **draft.done}, digest=options.digest)
    return Plan(
        outputs=tuple(draft.outputs.values()),
        container=container,
        inputs=tuple(draft.inputs),
        metadata=gguf.fields_for(container, kept, metadata.fields),
        digest_fields=metadata.digest_fields,
        extras=extras,
        notes=(*draft.model.notes, *draft.notes, *metadata.notes, *_reminders(draft)),
    )


def _kept_metadata(draft: Draft, dropped: Sequence[str]) -> Mapping[str, str]:
    """Return the input's metadata without the fields that are to go, and record which went."""
    gone = [key for key in dropped if key in draft.model.metadata]
    if gone:
        draft.done["metadata_dropped"] = gone
        draft.note("convert.metadata_dropped", fields=", ".join(gone))
    return {key: value for key, value in draft.model.metadata.items() if key not in gone}


def _reminders(draft: Draft) -> tuple[Note, ...]:
    """Return what the output still lacks for making images."""
    inside = set(draft.roles.values())
    lacking = [word for word in draft.identity.missing_parts if word not in inside]
    if not lacking:
        return ()
    return (Note("convert.still_lacks", {"parts": ", ".join(lacking)}, warning=False),)
