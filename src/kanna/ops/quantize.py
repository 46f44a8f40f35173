"""`kanna quantize` as a plan: fewer bits for the weights that bear it, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kanna.dtypes import BF16, FP16, FP32, DType
from kanna.errors import Incompatible, UsageError
from kanna.families.policy import policy_of
from kanna.identity import Identity, Part
from kanna.messages import say, size_text
from kanna.metadata import extended
from kanna.model import ModelFile
from kanna.ops import gguf
from kanna.ops.convert import Planned, refuse_what_cannot_be_written
from kanna.ops.dequantise import plain_parts, quantised_parts
from kanna.ops.draft import Draft
from kanna.ops.quantize_part import (
    cast,
    half_of,
    halve_decoded,
    kept,
    layer_list,
    modules_that_stay,
    quantize_part,
)
from kanna.plan import Plan, WriteContainer
from kanna.quantizing.schemes import FORMED, SCHEMES, Form, Scheme, Weight, scheme_called

_PLAIN: Final[Mapping[str, DType]] = {"fp16": FP16, "bf16": BF16, "fp32": FP32}
BACK: Final = tuple(_PLAIN)
_GGUF_PLAIN: Final[Mapping[str, DType]] = {"gguf-f16": FP16, "gguf-bf16": BF16}
GGUF: Final = (*gguf.TYPES, *_GGUF_PLAIN)
TARGETS: Final = (*SCHEMES, *GGUF, *BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeOptions:
    """What is wanted of the output.

    `to` is a word of `TARGETS`. `form` is ComfyUI's way of telling scales. `nested` stores
    bitsandbytes' statistics in 8 bits, too. `text_encoders` takes large ones along. `keep` are
    more patterns of names that stay (see `kanna.families.policy`), `keep_dtype` (``fp16 bf16
    fp32``) the precision of floating tensors that stay in a quantised part; None leaves theirs.
    """

    to: str
    form: Form = "current"
    nested: bool = False
    text_encoders: bool = False
    keep: tuple[str, ...] = ()
    keep_dtype: str | None = None
    digest: bool = True


def quantize(model: ModelFile, identity: Identity, options: QuantizeOptions) -> Planned:
    """Return the plan that quantises `model`, or makes plain numbers of a quantised one.

    Raises:
        UsageError: an option makes no sense.
        Incompatible: nothing in the file can be quantised, or decoded, or written.
        FormatError: a quantised file is not what it must be.
    """
    check_options(options)
    refuse_what_cannot_be_written(model)
    if options.to in BACK:
        return _back(model, identity, options)
    if options.to in GGUF:
        return _as_gguf(model, identity, options)
    scheme = scheme_called(options.to, form=options.form, nested=options.nested)
    assert scheme is not None
    plain, known = plain_parts(model, identity, _chosen(model, identity, options))
    draft = Draft.of(plain, known)
    if plain is not model:
        draft.note("quantize.again", warning=True)
    parts = _chosen(plain, known, options)
    weights = [w for part in parts for w in _take(draft, model, part, scheme, options)]
    _tell_unused(draft, parts, options.keep)
    _tell(draft, known, parts)
    if scheme.packed:
        _tell_readers(draft, parts, {weight.name for weight in weights}, options.to)
    return _planned(draft, options, layer_list(plain, weights, scheme))


def container_for(options: QuantizeOptions) -> WriteContainer:
    """Return the container that holds what is wanted."""
    return "gguf" if options.to in GGUF else "safetensors"


def check_options(options: QuantizeOptions) -> None:
    """Refuse words that are none, and options that do not go together.

    Raises:
        UsageError: there are some.
    """
    if options.to not in TARGETS:
        if gguf.is_type(options.to):
            gguf.writable_type(options.to)
        raise UsageError("quantize.no_such_target", word=options.to, words=", ".join(TARGETS))
    if options.keep_dtype is not None and options.to in GGUF:
        raise UsageError("quantize.keep_dtype_of_gguf")
    if options.keep_dtype is not None and options.keep_dtype not in _PLAIN:
        words = ", ".join(_PLAIN)
        raise UsageError("quantize.no_such_target", word=options.keep_dtype, words=words)
    if options.form == "old" and options.to not in FORMED:
        raise UsageError("quantize.form_of_scaled", to=options.to)
    if options.form == "old" and options.to == "fp8_scaled_e5m2":
        raise UsageError("quantize.old_e5m2")
    if options.nested and options.to not in {"nf4", "fp4"}:
        raise UsageError("quantize.nested_of_four_bit", to=options.to)


def _chosen(model: ModelFile, identity: Identity, options: QuantizeOptions) -> list[Part]:
    """Return the parts to be quantised: the diffusion model, and large text encoders if asked for.

    A file without a diffusion model stands for its text encoder.
    """
    models = [part for part in identity.parts if part.role == "diffusion_model"]
    encoders = [part for part in identity.parts if part.role == "text_encoder"]
    if models and not options.text_encoders:
        return models
    large = [p for p in encoders if p.parameters >= policy_of(p.architecture).large_encoder]
    if not models and not large:
        key = "quantize.small_encoder" if encoders else "quantize.nothing"
        raise Incompatible(key, path=model.path)
    return [*models, *large]


def _take(
    draft: Draft, source: ModelFile, part: Part, scheme: Scheme, options: QuantizeOptions
) -> list[Weight]:
    """Quantise a part, and say what of it was."""
    weights = quantize_part(draft, source, part, scheme, options.keep)
    taken = {weight.name for weight in weights}
    rest = [name for name in part.names if name not in taken]
    if options.keep_dtype is not None:
        cast(draft, rest, _PLAIN[options.keep_dtype])
    draft.note("quantize.taken", part=say(f"inspect.part_{part.role}"), count=len(taken),
               kept=len(rest), to=options.to)  # fmt: skip
    if options.keep_dtype is None and (halved := halve_decoded(draft, source, part, rest)):
        draft.note("quantize.halved", count=halved, dtype=half_of(part).word)
    return weights


def _back(model: ModelFile, identity: Identity, options: QuantizeOptions) -> Planned:
    """Return the plan that makes plain numbers of every quantised part."""
    parts = quantised_parts(model, identity)
    if not parts:
        raise Incompatible("quantize.not_quantised", path=model.path)
    plain, known = plain_parts(model, identity, parts)
    draft = Draft.of(plain, known)
    prefixes = {(part.role, part.prefix) for part in parts}
    names = [n for p in known.parts if (p.role, p.prefix) in prefixes for n in p.names]
    count = cast(draft, names, _PLAIN[options.to])
    told = ", ".join(sorted({part.quantization or part.dtype or "?" for part in parts}))
    draft.note("quantize.decoded", count=count, scheme=told, to=options.to)
    return _planned(draft, options, {})


def _as_gguf(model: ModelFile, identity: Identity, options: QuantizeOptions) -> Planned:
    """Return the plan that writes the file as GGUF, its chosen parts in blocks or 16 bits."""
    chosen = _chosen(model, identity, options)
    again = [part for part in identity.parts if part.scaled or part in chosen]
    plain, known = plain_parts(model, identity, again)
    draft = Draft.of(plain, known)
    if plain is not model:
        draft.note("quantize.again", warning=True)
    parts = _chosen(plain, known, options)
    names = {name for part in parts for name in part.names}
    stay = {name for name in draft.outputs if name not in names}
    for part in parts:
        stay |= {n for n in part.names if kept(n, part.prefix, options.keep)}
    if options.to in _GGUF_PLAIN:
        cast(draft, names - stay, _GGUF_PLAIN[options.to])
    block = None if options.to in _GGUF_PLAIN else gguf.writable_type(options.to)
    _tell_unused(draft, parts, options.keep)
    extras = gguf.lay_out(draft, block, stay=stay)
    _tell_encoders(draft, known, parts)
    return _planned(draft, options, {}, container="gguf", extras=extras)


def _tell_unused(draft: Draft, parts: Iterable[Part], keep: Iterable[str]) -> None:
    """Say which patterns of the user fit nothing: a slip of the fingers keeps no weight."""
    places = [(name, part.prefix) for part in parts for name in part.names]
    for pattern in keep:
        if not any(kept(name, prefix, [pattern]) for name, prefix in places):
            draft.note("quantize.keep_unused", warning=True, pattern=pattern)


def _tell(draft: Draft, identity: Identity, quantised: Iterable[Part]) -> None:
    """Say what stays large."""
    taken = {(part.role, part.prefix) for part in quantised}
    roles = [part.role for part in identity.parts if (part.role, part.prefix) not in taken]
    if roles:
        words = ", ".join(say(f"inspect.part_{role}") for role in dict.fromkeys(roles))
        draft.note("quantize.stays", parts=words)
    _tell_encoders(draft, identity, quantised)
    if identity.ema.pairs:
        draft.note("quantize.ema_stays", warning=True)


def _tell_encoders(draft: Draft, identity: Identity, quantised: Iterable[Part]) -> None:
    """Say that large text encoders can be quantised, too, where they stay in 16 bits or more."""
    taken = {(part.role, part.prefix) for part in quantised}
    large = [
        part.bytes
        for part in identity.parts
        if part.role == "text_encoder" and (part.role, part.prefix) not in taken
        and part.quantization is None
        and part.parameters >= policy_of(part.architecture).large_encoder
    ]  # fmt: skip
    if large:
        draft.note("quantize.encoder_stays", size=size_text(sum(large)))


def _tell_readers(draft: Draft, parts: Iterable[Part], taken: Collection[str], to: str) -> None:
    """Say which programs read bitsandbytes' 4 bits, which depends on the names and the model."""
    for part in parts:
        if part.layout in {"diffusers", "hf"} and not part.prefix:
            modules = ", ".join(modules_that_stay(draft, part, taken))
            draft.note("quantize.for_diffusers", kind=to, modules=f"[{modules}]")
        if part.layout != "diffusers":
            forge = policy_of(part.architecture).in_forge
            draft.note("quantize.for_forge" if forge else "quantize.few_readers")
        return


def _planned(
    draft: Draft,
    options: QuantizeOptions,
    more: Mapping[str, str],
    *,
    container: WriteContainer = "safetensors",
    extras: Mapping[str, object] | None = None,
) -> Planned:
    asked = {
        "to": options.to,
        **({"form": options.form} if options.form != "current" else {}),
        **({"nested": True} if options.nested else {}),
        **({"text_encoders": True} if options.text_encoders else {}),
        **({"keep": list(options.keep)} if options.keep else {}),
        **({"keep_dtype": options.keep_dtype} if options.keep_dtype else {}),
    }
    step = {"verb": "quantize", "input": draft.model.path.name, **asked}
    before = {**gguf.own_fields(draft.model.metadata), **more}
    metadata = extended(before, step, digest=options.digest)
    plan = Plan(
        outputs=tuple(draft.outputs.values()),
        container=container,
        inputs=tuple(draft.inputs),
        metadata=gguf.fields_for(container, before, metadata.fields),
        digest_fields=metadata.digest_fields,
        extras=extras or {},
        notes=(*draft.model.notes, *draft.notes, *metadata.notes),
    )
    return Planned(plan, (options.to,))
