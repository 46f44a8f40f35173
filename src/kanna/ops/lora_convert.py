"""A LoRA in another dialect, as a plan: tensors renamed, joined or cut apart, metadata right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kanna.dtypes import DType
from kanna.errors import UsageError
from kanna.families import family
from kanna.identity import Identity
from kanna.lora.dialects import Dialect
from kanna.lora.modules import Module
from kanna.lora.reading import PEFT_METADATA, modules, unknown
from kanna.lora.writing import dialect_called, named
from kanna.metadata import extended
from kanna.metadata.filling import fill
from kanna.model import ModelFile, Note, TensorInfo
from kanna.ops.casting import dtype_called
from kanna.plan import Output, Plan

_IMPLEMENTATION: Final = "modelspec.implementation"
_DYNAMIC: Final = "Dynamic"  # as kohya's resize_lora.py writes it
_PLAIN: Final = ("lora", "dora")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Respelled:
    """The plan of a LoRA in another dialect, and how many modules it had and has."""

    plan: Plan
    dialect: Dialect
    before: int
    after: int
    kinds: Mapping[str, int]


def respell(
    model: ModelFile,
    identity: Identity,
    dialect: str,
    *,
    architecture: str | None = None,
    dtype: str | None = None,
    skip_unknown: bool = False,
    digest: bool = True,
) -> Respelled:
    """Return the plan that writes the LoRA `model` as `dialect`.

    `architecture` is that of its base, where the file does not tell. Factors are copied, unless a
    `dtype` is asked for.

    Raises:
        UsageError: there is no such dialect, architecture or dtype.
        Incompatible: it is no LoRA, or it cannot be spelled so.
        FormatError: the file does not hold what its header says.
    """
    target = dialect_called(dialect)
    if architecture is not None and family(architecture) is None:
        raise UsageError("lora_convert.no_such_architecture", word=architecture)
    read = modules(model, identity, skip_unknown=skip_unknown)
    known = architecture or identity.architecture
    spelled = named(read, dialect, known)
    wanted = dtype_called(dtype) if dtype else None
    outputs = tuple(_output(tensor, wanted) for tensor in spelled.tensors.values())
    fields = _fields(model, replace(identity, architecture=known), spelled.modules, target)
    step = {"verb": "lora convert", "input": model.path.name, "to": dialect}
    if dtype:
        step["dtype"] = dtype
    strangers = unknown(model) if skip_unknown else ()
    metadata = extended({**fields, **spelled.metadata}, step, digest=digest)
    after = len(spelled.modules)
    notes = _notes(read, after, target, strangers, told=bool(spelled.metadata))
    plan = Plan(
        outputs=outputs, container="safetensors", inputs=(model,), metadata=metadata.fields,
        digest_fields=metadata.digest_fields, notes=(*model.notes, *notes, *metadata.notes),
    )  # fmt: skip
    kinds: Counter[str] = Counter(module.kind for module in read)
    return Respelled(plan=plan, dialect=target, before=len(read), after=after,
                     kinds=dict(kinds))  # fmt: skip


def _output(tensor: TensorInfo, dtype: DType | None) -> Output:
    """Return a tensor as it is, or cast; alphas and what is no number keep their dtype."""
    if dtype is None or not tensor.shape or not tensor.dtype.is_float:
        return Output.of(tensor)
    return Output.of(tensor, dtype=dtype)


def _fields(
    model: ModelFile, identity: Identity, read: Sequence[Module], dialect: Dialect
) -> dict[str, str]:
    """Return the metadata: all that was there, less PEFT's settings, and what has become untrue."""
    kept = {key: value for key, value in model.metadata.items() if key != PEFT_METADATA}
    said = fill(replace(identity, layout=dialect.layout)).fields
    fields = {**said, **kept}
    if _IMPLEMENTATION in said:
        fields[_IMPLEMENTATION] = said[_IMPLEMENTATION]
    if dialect.alpha == "tensor" and "ss_network_module" not in kept:
        fields |= _network(read)
    return fields


def _network(read: Sequence[Module]) -> dict[str, str]:
    """Return what kohya's programs read about the network: its module, its ranks, its alphas."""
    ranks = {float(module.rank) for module in read if module.rank}
    alphas = {module.scale * module.rank for module in read if module.rank}
    kind = next((module.kind for module in read if module.kind not in _PLAIN), None)
    lycoris = kind is not None or any(module.decomposed for module in read)
    fields = {
        "ss_network_module": "lycoris.kohya" if lycoris else "networks.lora",
        "ss_network_dim": _one(ranks), "ss_network_alpha": _one(alphas),
    }  # fmt: skip
    if lycoris:
        fields["ss_network_args"] = json.dumps({"algo": kind or "lora"})
    return {key: value for key, value in fields.items() if value}


def _one(values: set[float]) -> str:
    if len(values) > 1:
        return _DYNAMIC
    return f"{next(iter(values)):g}" if values else ""


def _notes(
    read: Sequence[Module], after: int, dialect: Dialect, strangers: Sequence[str], *, told: bool
) -> tuple[Note, ...]:
    notes: list[Note] = []
    if told:
        notes.append(Note("lora_convert.alpha_in_metadata", {"dialect": dialect.title}))
    if after != len(read):
        counts = {"before": len(read), "after": after}
        notes.append(Note("lora_convert.regrouped", counts, warning=False))
    if strangers:
        left = {"count": len(strangers), "name": strangers[0]}
        notes.append(Note("lora_convert.left_out", left))
    return tuple(notes)
