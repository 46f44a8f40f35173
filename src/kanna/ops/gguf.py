"""Outputs as the programs that read GGUF expect them: names, types, shapes and values.

A diffusion model alone is laid out for ComfyUI-GGUF: without its prefix, and what a UNet has in no
rows of 256 folded into such rows, so that llama-quantize can go on from there. A checkpoint with
text encoders and a VAE keeps its full names and shapes, as stable-diffusion.cpp reads it;
ComfyUI-GGUF takes the diffusion model out of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from kanna.dtypes import FP16
from kanna.errors import Incompatible, UsageError
from kanna.families import title
from kanna.families.gguf_words import GGUF_WORDS
from kanna.formats.ggml_types import GGML_TYPES, WRITTEN, BlockType
from kanna.formats.gguf_layout import kept_shape
from kanna.formats.gguf_typed import Typed, string, typed_values, u32
from kanna.formats.gguf_values import ORIGINAL_SHAPE
from kanna.identity import Part
from kanna.messages import say
from kanna.model import TensorInfo
from kanna.ops.draft import Draft
from kanna.ops.gguf_types import MODEL, Target, folds, store

TYPES: Final = tuple(WRITTEN)
_QUANTIZATION_VERSION: Final = 2  # GGML_QNT_VERSION in ggml.h
_ARCHITECTURE: Final = "general.architecture"
_FILE_TYPE: Final = "general.file_type"
# llama.cpp's numbers for what most of a file is in (``enum llama_ftype``)
_FILE_TYPES: Final = {
    "fp32": 0, "fp16": 1, "q4_0": 2, "q4_1": 3, "q8_0": 7, "q5_0": 8, "q5_1": 9, "q2_k": 10,
    "q3_k": 12, "q4_k": 15, "q5_k": 17, "q6_k": 18, "bf16": 32,
}  # fmt: skip
# Fields that tell how a container is laid out, not what the model is.
_LAYOUT_FIELDS: Final = (
    "general.alignment", _FILE_TYPE, "general.quantization_version", "split.", ORIGINAL_SHAPE,
)  # fmt: skip
_TEXT: Final = string("").kind


def writable_type(word: str) -> BlockType:
    """Return the block type that people ask for by `word`, such as ``q8_0``.

    Raises:
        UsageError: GGUF has no such type, or only programs made with ggml write it.
    """
    word = word.lower()
    if word in WRITTEN:
        return WRITTEN[word]
    if is_type(word):
        kinds = [kind.word for kind in GGML_TYPES.values() if word.startswith(kind.word)]
        name = max(kinds, key=len).replace("_k", "_K")  # as sd-cli spells it
        raise UsageError("gguf.only_read", type=word, name=name, words=", ".join(TYPES))
    raise UsageError("gguf.no_type", type=word, words=", ".join(TYPES))


def is_type(word: str) -> bool:
    """Whether GGUF has a type that people call `word`, written here or not."""
    word = word.lower()
    known = {kind.word for kind in GGML_TYPES.values() if isinstance(kind, BlockType)}
    return word in known or word.rpartition("_")[0] in known  # q4_k_m is a mixture around q4_k


def lay_out(
    draft: Draft, kind: BlockType | None = None, *, stay: Collection[str] = ()
) -> dict[str, object]:
    """Make the outputs of `draft` what readers of GGUF expect, and return the plan's extras.

    With `kind` the weights of the diffusion model and of text encoders are cut into such blocks,
    but for those among `stay`; without it all keep the precision that they have.

    Raises:
        Incompatible: no program reads such a model as GGUF, a part is quantised in another way, or
            a size of a folded shape is too large to be kept.
        MissingExtra: blocks that are to be written anew can only be read with ``gguf``.
    """
    _refuse_other_quantisations(draft)
    values = _kept_values(draft)
    if kind is None and _ARCHITECTURE in values:  # it was written for a reader: nothing to find out
        return {"gguf": {**values, **_own_values(draft)}}
    target = _target(draft, kind, frozenset(stay))
    folded = {output.name: output.shape for output in folds(draft, target)}
    store(draft, target, frozenset(folded))
    prefix = target.part.prefix if target.alone else ""
    if prefix:
        draft.rename({name: name.removeprefix(prefix) for name in target.part.names})
    _tell(draft, target, len(folded))
    told = {_ARCHITECTURE: string(target.row.word), **values, **_own_values(draft)}
    for name, shape in folded.items():
        told |= kept_shape(name.removeprefix(prefix), shape)
    return {"gguf": told}


def own_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return metadata without the fields that tell how a GGUF was laid out."""
    return {key: text for key, text in metadata.items() if not key.startswith(_LAYOUT_FIELDS)}


def fields_for(
    container: str, kept: Mapping[str, str], fields: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the `fields` of an output's metadata without what only safetensors asks for.

    What the input had, `kept`, stays.
    """
    if container != "gguf" or "format" in kept:
        return fields
    return {key: text for key, text in fields.items() if key != "format"}


def _refuse_other_quantisations(draft: Draft) -> None:
    for part in draft.identity.parts:
        if part.scaled and any(map(_is_code, _inputs(draft, part))):
            raise Incompatible(
                "gguf.quantised", path=draft.model.path, part=say(f"inspect.part_{part.role}"),
                scheme=part.quantization,
            )  # fmt: skip


def _inputs(draft: Draft, part: Part) -> Iterator[TensorInfo]:
    for name in part.names:
        if name in draft.outputs and name not in draft.fixed:
            yield from draft.outputs[name].inputs


def _is_code(tensor: TensorInfo) -> bool:
    """Whether the numbers mean something else: in blocks, and once decoded, they do not."""
    dtype = tensor.dtype
    return not isinstance(dtype, BlockType) and (dtype.kind != "float" or dtype.bits < FP16.bits)


def _kept_values(draft: Draft) -> dict[str, Typed]:
    """Return the typed values of an input that is GGUF; texts go the way of all metadata."""
    if draft.model.container != "gguf":
        return {}
    return {
        key: value
        for key, value in typed_values(draft.model.files[0]).items()
        if (value.kind != _TEXT or key == _ARCHITECTURE) and not key.startswith(_LAYOUT_FIELDS)
    }


def _own_values(draft: Draft) -> dict[str, Typed]:
    sizes: Counter[str] = Counter()
    for output in draft.outputs.values():
        sizes[output.dtype.word] += output.nbytes
    main = max(_FILE_TYPES, key=lambda word: sizes[word])
    return {
        "general.quantization_version": u32(_QUANTIZATION_VERSION),
        _FILE_TYPE: u32(_FILE_TYPES[main]),
    }


def _target(draft: Draft, kind: BlockType | None, stay: frozenset[str]) -> Target:
    path = draft.model.path
    parts = [part for part in draft.identity.parts if _written(draft, part)]
    model = next((part for part in parts if part.role == MODEL), None)
    if model is None:
        what = parts[0].role if parts else draft.identity.kind
        raise Incompatible("gguf.no_model", path=path, part=say(f"inspect.part_{what}"))
    name = title(model.architecture or "")
    row = GGUF_WORDS.get(model.architecture or "")
    if row is None:
        raise Incompatible("gguf.no_reader", path=path, model=name)
    if row.original and model.layout == "diffusers":
        raise Incompatible("gguf.diffusers", path=path, model=name)
    return Target(part=model, row=row, alone=len(parts) == 1, kind=kind, stay=stay)


def _written(draft: Draft, part: Part) -> bool:
    return any(name in draft.outputs for name in part.names)


def _tell(draft: Draft, target: Target, folded: int) -> None:
    draft.done["gguf"] = target.kind.word if target.kind else target.row.word
    if target.kind:
        draft.tags[:0] = [target.kind.word]
        blocks = [one for one in draft.outputs.values() if one.dtype is target.kind]
        plain = len(draft.outputs) - len(blocks)
        draft.note("gguf.cut", type=target.kind.word, count=len(blocks), rest=plain)
    reader = "gguf.for_comfyui" if target.alone else "gguf.for_checkpoints"
    draft.note(reader, word=target.row.word)
    if target.kind and target.row.fold and not target.alone:
        draft.note("gguf.split_first")
    if folded:
        draft.note("gguf.folded", count=folded)
