"""What an adapter is made of: ranks, alphas, what it changes, what its metadata says about it."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from kanna.adapter import Adapter, Vectors, counted_text
from kanna.families import tables
from kanna.identify.bases import Vote, vote
from kanna.identify.modules import modules_of
from kanna.model import FileRun, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.families.keys import Shape
    from kanna.identify.peek import Peek
    from kanna.identify.recognise import Found
    from kanna.identity import Part
    from kanna.model import ModelFile, TensorInfo

# What metadata says, by the word that the identity document has for it. Sources: train_util.py of
# kohya-ss/sd-scripts, Stability-AI/ModelSpec.
_SAID: Final = {
    "model": "ss_sd_model_name",
    "base": "ss_base_model_version",
    "rank": "ss_network_dim",
    "alpha": "ss_network_alpha",
    "trigger": "modelspec.trigger_phrase",
}
# PEFT's own settings as diffusers keeps them, in JSON; the part's word may stand before each key.
# Source: huggingface/diffusers lora_base.py, LORA_ADAPTER_METADATA_KEY.
PEFT_METADATA: Final = "lora_adapter_metadata"
_PEFT: Final = {"rank": "r", "alpha": "lora_alpha"}
# What A1111's pickles carry beside their tensors; the name of an embedding is what calls it.
_BESIDE: Final[dict[str, dict[str, str]]] = {
    "lora": {},
    "embedding": {"model": "sd_checkpoint_name", "trigger": "name"},
    "hypernetwork": {"model": "sd_checkpoint_name"},
}
_MAX_LAYERS: Final = 64
_BLOCK: Final = 1 << 16  # what is read of a file behind a URL at once
_MOST_BLOCKS: Final = 4
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_STRUCTURE: Final = ("layer_structure", "activation_func", "is_layer_norm", "activate_output")


def describe(found: Found, shapes: Mapping[str, Shape]) -> tuple[Adapter, Vote]:
    """Return what the header alone says of an adapter, and what its modules say of its base."""
    return _MAKERS[found.row.role](found, shapes)


def _of_modules(found: Found, shapes: Mapping[str, Shape]) -> tuple[Adapter, Vote]:
    """A LoRA and its kin: a module for each layer that it changes."""
    modules = modules_of(shapes, found.known)
    said = vote(modules)
    dialects = {module.dialect for module in modules} - {None}
    ranks = Counter(rank for module in modules if (rank := module.sizes.rank))
    adapter = Adapter(
        dialect=dialects.pop() if len(dialects) == 1 else found.row.layout,
        modules=len(modules),
        ranks=tuple(sorted(ranks.items())),
        touches=said.touches,
        convolutions=any(module.convolution for module in modules),
        decomposed=any("magnitude" in module.pieces for module in modules),
        bases=said.words,
        fitting=said.fitting,
        mixed=said.mixed,
    )
    return adapter, said


def _of_vectors(found: Found, shapes: Mapping[str, Shape]) -> tuple[Adapter, Vote]:
    """An embedding: vectors, and the text encoders that they are for."""
    vectors = tuple(
        Vectors(
            encoder=found.row.encoders.get(str(shape[-1])),
            count=shape[0] if len(shape) > 1 else 1,
            width=shape[-1],
        )
        for name in found.known
        if (shape := shapes[name])
    )
    return Adapter(dialect=found.row.layout, vectors=vectors), Vote()


def _of_networks(found: Found, shapes: Mapping[str, Shape]) -> tuple[Adapter, Vote]:
    """A hypernetwork: a pair of nets for each width."""
    nets = {(name.partition(".")[0], shapes[name][-1]) for name in found.known if shapes[name]}
    widths = tuple(sorted(width for first, width in nets if first == str(width)))
    return Adapter(dialect=found.row.layout, widths=widths), Vote()


_MAKERS: Final = {"lora": _of_modules, "embedding": _of_vectors, "hypernetwork": _of_networks}


def with_details(
    part: Part, adapter: Adapter, model: ModelFile, peek: Peek
) -> tuple[Part, list[Note]]:
    """Read what `part` says about itself; return it, and where that contradicts its tensors.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    said = {word: model.metadata[key] for word, key in _SAID.items() if model.metadata.get(key)}
    said = _of_peft(model.metadata) | said
    beside = {word: model.extras.get(key) for word, key in _BESIDE[part.role].items()}
    said |= {word: value for word, value in beside.items() if isinstance(value, str) and value}
    adapter = replace(
        adapter,
        alphas=_alphas(part, model, peek),
        said=said,
        structure=_structure(model.extras) if adapter.widths else {},
    )
    notes = [*_contradictions(adapter, model.metadata), *_hints(part, model)]
    return replace(part, adapter=adapter), notes


def peft_settings(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the settings of PEFT that diffusers keeps in a file; what is no object is none."""
    held: object = None
    with suppress(ValueError, RecursionError):
        held = json.loads(metadata.get(PEFT_METADATA, "null"))
    return held if isinstance(held, dict) else {}


def _of_peft(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the rank and the alpha that PEFT's settings name, where every part has the same."""
    found: dict[str, set[str]] = {word: set() for word in _PEFT}
    for key, value in peft_settings(metadata).items():
        for word, ending in _PEFT.items():
            if key.rpartition(".")[2] == ending and isinstance(value, int | float):
                found[word].add(f"{value:g}")
    return {word: values.pop() for word, values in found.items() if len(values) == 1}


def _structure(extras: Mapping[str, object]) -> dict[str, object]:
    """Return how the nets of a hypernetwork are built, as far as it is said in plain values."""
    return {
        key: value
        for key in _STRUCTURE
        if isinstance(value := extras.get(key), bool | str) or _sizes_of_layers(value)
    }


def _sizes_of_layers(value: object) -> bool:
    """Whether `value` is a list of layer sizes, in widths."""
    return (
        isinstance(value, list)
        and 0 < len(value) <= _MAX_LAYERS
        and all(isinstance(one, int | float) and isfinite(one) for one in value)
    )


def _alphas(part: Part, model: ModelFile, peek: Peek) -> tuple[tuple[float, int], ...] | None:
    """Return every alpha with how many modules have it, or None where not all could be read."""
    ends = tuple(tables()["families"]["lora"]["endings"]["alpha"])
    tensors = [model[name] for name in part.names if name.endswith(ends)]
    if _far_apart(tensors):
        return None
    found: Counter[float] = Counter()
    for tensor in tensors:
        values = peek.values(tensor)
        if values is None or len(values) != 1:
            return None
        found[float(values[0])] += 1
    # A file full of holes holds zeros; no trainer writes an alpha of zero.
    usable = all(isfinite(alpha) and alpha for alpha in found)
    return tuple(sorted(found.items())) if usable else None


def _far_apart(tensors: Iterable[TensorInfo]) -> bool:
    """Whether a server would have to be asked again and again: each answer is a block."""
    places = {
        tensor.data.offset // _BLOCK
        for tensor in tensors
        if isinstance(tensor.data, FileRun) and not tensor.data.file.local
    }
    return len(places) > _MOST_BLOCKS


def _contradictions(adapter: Adapter, metadata: Mapping[str, str]) -> Iterable[Note]:
    """Yield where metadata names a rank or an alpha that no module has: the tensors count."""
    for word, there in (("rank", adapter.ranks), ("alpha", adapter.alphas or ())):
        claimed = _number(metadata.get(_SAID[word]))
        if claimed is not None and there and claimed not in dict(there):
            values: dict[str, Any] = {
                "key": _SAID[word],
                "value": metadata[_SAID[word]],
                "what": Note(f"identity.adapter_{word}", {"values": counted_text(there)}),
            }
            yield Note("identity.metadata_differs", values, warning=False)


def _hints(part: Part, model: ModelFile) -> Iterable[Note]:
    """Yield what a LoRA is called where that is the name of a way to few steps."""
    known = tables()["families"]["lora"]["distilled"] if part.role == "lora" else {}
    names = {key: model.metadata.get(key, "") for key in known.get("keys", ())}
    for key, value in names.items():
        words = [word for word in _WORDS.split(value.lower()) if word in known["words"]]
        if words:
            yield Note("identity.adapter_distilled", {"key": key, "value": value}, warning=False)
            return


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
