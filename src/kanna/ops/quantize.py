"""`kanna quantize` as a plan: fewer bits for the weights that bear it, and the way back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kanna.dtypes import BF16, FP16, FP32, WORDS, DType
from kanna.errors import Incompatible, UsageError
from kanna.families import family
from kanna.families.policy import Policy, fits, policy_of
from kanna.identity import Identity, Part
from kanna.messages import say
from kanna.metadata import extended
from kanna.model import ModelFile
from kanna.ops import gguf
from kanna.ops.convert import Planned, refuse_what_cannot_be_written
from kanna.ops.dequantise import plain_parts, quantised_parts
from kanna.ops.draft import Draft
from kanna.plan import Constant, Copy, Output, Plan, WeightedSum, WriteContainer
from kanna.quantizing.schemes import FORMED, SCHEMES, Form, Scheme, scheme_called
from kanna.quantizing.stored import QUANTIZATION_METADATA, layers_in

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
    layers = [
        name for part in parts for name in _quantize_part(draft, model, part, scheme, options)
    ]
    _tell(draft, known, scheme, parts)
    return _planned(draft, options, _layer_list(plain, layers, scheme))


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


def _quantize_part(
    draft: Draft, source: ModelFile, part: Part, scheme: Scheme, options: QuantizeOptions
) -> list[str]:
    """Put the pieces of each weight of `part` in its place; return the names of those layers.

    `source` is the file as it was, whose dtypes a scheme may remember.
    """
    policy = policy_of(part.architecture)
    known = family(part.architecture) if part.architecture else None
    half = WORDS[known.half if known else "bf16"]
    pieces: dict[str, list[Output]] = {}
    for name in part.names:
        more = kept(name, part.prefix, options.keep)
        if not more and _takes(draft, name, part.prefix, policy, scheme):
            tensor = draft.outputs[name].inputs[0]
            stored = tensor is source.get(name) and tensor.dtype in {FP16, BF16, FP32}
            before = tensor.dtype if stored else half
            pieces[name] = list(scheme.pieces(name, tensor, before))
    if not pieces:
        role = say(f"inspect.part_{part.role}")
        raise Incompatible("quantize.no_weights", path=draft.model.path, part=role)
    _replace(draft, pieces)
    if scheme.marker is not None:
        marker = Output(f"{part.prefix}scaled_fp8", scheme.marker, (0,), Constant(b""))
        draft.put(marker, part.role)
    rest = [name for name in part.names if name not in pieces]
    if options.keep_dtype is not None:
        cast(draft, rest, _PLAIN[options.keep_dtype])
    draft.note("quantize.taken", part=say(f"inspect.part_{part.role}"), count=len(pieces),
               kept=len(rest), to=options.to)  # fmt: skip
    if not policy.known and part.role == "diffusion_model":
        draft.note("quantize.policy_unknown", warning=True, architecture=part.architecture or "?")
    return [name.removesuffix(".weight") for name in pieces]


def _takes(draft: Draft, name: str, prefix: str, policy: Policy, scheme: Scheme) -> bool:
    tensor = draft.model[name]
    if name in draft.fixed or not tensor.dtype.is_float:
        return False
    if scheme.matrices and len(tensor.shape) != 2:
        return False
    return policy.takes(name.removeprefix(prefix), tensor.shape, tensor.numel)


def kept(name: str, prefix: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern fits the name as it is, or less its part's prefix."""
    return any(fits(name, p) or fits(name.removeprefix(prefix), p) for p in patterns)


def _replace(draft: Draft, pieces: Mapping[str, list[Output]]) -> None:
    """Put several outputs where one was, beside each other."""
    outputs: dict[str, Output] = {}
    roles = dict(draft.roles)
    for name, output in draft.outputs.items():
        for piece in pieces.get(name, [output]):
            if piece.name in outputs or (piece.name != name and piece.name in draft.outputs):
                raise Incompatible("layout.twice", path=draft.model.path, name=piece.name)
            outputs[piece.name] = piece
            roles[piece.name] = draft.roles.get(name, "")
    draft.outputs, draft.roles = outputs, roles


def cast(draft: Draft, names: Iterable[str], dtype: DType) -> int:
    """Give floating outputs another dtype, measuring what is lost; return how many changed."""
    changed = 0
    for name in names:
        output = draft.outputs.get(name)
        if output is None or name in draft.fixed or not isinstance(output.op, Copy):
            continue
        if output.dtype.is_float and output.dtype is not dtype:
            draft.outputs[name] = Output(
                name, dtype, output.shape, WeightedSum(), output.inputs, compared=True
            )
            changed += 1
    return changed


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
    extras = gguf.lay_out(draft, block, stay=stay)
    return _planned(draft, options, {}, container="gguf", extras=extras)


def _tell(draft: Draft, identity: Identity, scheme: Scheme, quantised: Iterable[Part]) -> None:
    """Say what else a person should know: what stays large, and what a program needs."""
    taken = {(part.role, part.prefix) for part in quantised}
    roles = [part.role for part in identity.parts if (part.role, part.prefix) not in taken]
    if roles:
        words = ", ".join(say(f"inspect.part_{role}") for role in dict.fromkeys(roles))
        draft.note("quantize.stays", parts=words)
    if identity.ema.pairs:
        draft.note("quantize.ema_stays", warning=True)
    if scheme.needs_config:
        draft.note("quantize.needs_config")


def _layer_list(model: ModelFile, layers: list[str], scheme: Scheme) -> dict[str, str]:
    """Return ComfyUI's metadata of quantised layers, with those of parts that were so before."""
    if scheme.comfy is None:
        return {}
    listed = {**layers_in(model.metadata), **{name: {"format": scheme.comfy} for name in layers}}
    return {QUANTIZATION_METADATA: json.dumps({"format_version": "1.0", "layers": listed})}


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
