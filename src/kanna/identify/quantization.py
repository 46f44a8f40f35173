"""How weights are quantised: told by what stands beside them, by metadata, by their dtype.

Sources: ComfyUI comfy/quant_ops.py and its loaders of older files; bitsandbytes functional.py;
nunchaku and deepcompressor converters; AutoGPTQ, AutoAWQ; SDNQ, quanto and torchao as they save.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kanna.dtypes import WORDS
from kanna.families import tables
from kanna.families.keys import packed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanna.families.keys import Shape
    from kanna.identify.beside import Beside
    from kanna.model import TensorInfo

Row = Mapping[str, Any]


class Schemes:
    """The rows of quantisation, asked for by the names of a file's tensors."""

    def __init__(self, model: Mapping[str, TensorInfo]) -> None:
        """Look at `model`, whose dtypes and other names decide between schemes."""
        self._model = model
        self._tails: defaultdict[str, list[tuple[str, Row]]] = defaultdict(list)
        for row in tables()["everywhere"]["quantization"]:
            for tail in row["tails"]:
                self._tails[tail.rpartition(".")[2]].append((tail, row))
        self.last_words = frozenset(self._tails)

    def match(self, name: str) -> str | None:
        """Return the scheme that `name` is a part of: its word, or nothing where it has none."""
        for tail, row in self._tails.get(name.rpartition(".")[2], ()):
            ends = name == tail or name.endswith(f".{tail}")
            if ends and self._holds(row, name.removesuffix(tail), name):
                return str(row.get("name", ""))
        return None

    def _holds(self, row: Row, stem: str, name: str) -> bool:
        """Whether the tensor and the weight beside it have the dtypes that the row asks for."""
        if "dtypes" in row and self._model[name].dtype.word not in row["dtypes"]:
            return False
        if "sibling" not in row:
            return True
        sibling = self._model.get(stem + row["sibling"])
        return sibling is not None and sibling.dtype.word in row["sibling_dtypes"]


def layer_formats(names: Iterable[str], metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the schemes of layers that ComfyUI wrote into the metadata, by the layer's full name.

    The metadata leaves out what stands before the model's own names.
    """
    words: Mapping[str, str] = tables()["everywhere"]["comfy_formats"]
    layers: dict[str, Any] = {}
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        layers = dict(json.loads(metadata.get("_quantization_metadata", "{}")).get("layers", {}))
    formats = {
        name: words.get(layer["format"], layer["format"])
        for name, layer in layers.items()
        if isinstance(layer, dict) and isinstance(layer.get("format"), str)
    }
    if not formats:
        return {}
    first = f"{next(iter(formats))}.weight"
    prefix = next((name.removesuffix(first) for name in names if name.endswith(first)), "")
    return {prefix + name: word for name, word in formats.items()}


def shapes_of(
    model: Mapping[str, TensorInfo], beside: Beside
) -> tuple[dict[str, Shape], dict[str, str]]:
    """Return the shape of every tensor, and what names stand for: ``x.weight`` for ``x.qweight``.

    Of a packed weight only the size is known.
    """
    shapes = {name: tensor.shape for name, tensor in model.items()}
    for weight in _halved(beside):
        if weight in shapes and model[weight].dtype.kind == "int":
            shapes[weight] = packed(2 * model[weight].numel)
    stands = _stand_ins(model, shapes)
    shapes.update({weight: shapes[name] for weight, name in stands.items()})
    return shapes, stands


def scheme_of(
    names: Iterable[str], beside: Beside, dtype: str | None, dtypes: Mapping[str, int]
) -> tuple[str | None, bool]:
    """Return the word of a part's scheme, and whether its numbers mean nothing without scales.

    `dtype` is the main dtype of the part and `dtypes` bytes by dtype.
    """
    everywhere = tables()["everywhere"]
    names = list(names)
    if beside.formats and (told := _told(names, beside.formats)):
        return told, True
    seen = {beside.scales[name] for name in names if name in beside.scales}
    for row in everywhere["quantization"]:
        if "name" in row and row["name"] in seen:
            return row["name"], True
    for row in everywhere["quantization_by_dtype"]:
        if row["dtype"] == dtype:
            return row["name"], row.get("scaled", False)
    # GGUF's own types are no dtypes of any other container; one weight in them is enough.
    blocks = {word: nbytes for word, nbytes in dtypes.items() if word not in WORDS}
    main = max(blocks, key=lambda word: blocks[word], default=None)
    return (None, False) if main is None else (f"gguf-{main}", True)


def unmarked(beside: Beside) -> int:
    """Count scales of which no marker and no metadata tells ComfyUI, which then ignores them."""
    everywhere = tables()["everywhere"]
    ends = tuple(f".{tail}" for tail in everywhere["unmarked_scales"])
    markers = tuple(everywhere["scale_markers"])
    names = {*beside.scales, *beside.markers}
    if beside.formats or any(name.endswith(markers) for name in names):
        return 0
    return sum(name.endswith(ends) for name in beside.scales)


def _told(names: Iterable[str], formats: Mapping[str, str]) -> str | None:
    """The scheme of most of the layers that metadata or markers name."""
    words = (formats.get(name.removesuffix(".weight")) for name in names)
    count = Counter(word for word in words if word)
    return max(count, key=lambda word: count[word], default=None)


def _halved(beside: Beside) -> Iterable[str]:
    """Names of weights that hold two numbers in a byte."""
    endings: defaultdict[str, list[str]] = defaultdict(list)
    for row in tables()["everywhere"]["quantization"]:
        if "packed" in row:
            endings[row["name"]].append(row["packed"])
    for scale, scheme in beside.scales.items():
        yield from (scale.removesuffix(e) for e in endings.get(scheme, ()) if scale.endswith(e))
    halved = tables()["everywhere"]["halved"]
    yield from (f"{layer}.weight" for layer, word in beside.formats.items() if word in halved)


def _stand_ins(model: Mapping[str, TensorInfo], shapes: dict[str, Shape]) -> dict[str, str]:
    """Map ``x.weight`` to the tensor that holds it under another name; note that one's size."""
    stands: dict[str, str] = {}
    rows = [(f".{row['ending']}", row["numbers"]) for row in tables()["everywhere"]["stand_in"]]
    endings = tuple(ending for ending, _ in rows)
    for name, tensor in model.items():
        if not name.endswith(endings):
            continue
        ending, numbers = next(row for row in rows if name.endswith(row[0]))
        weight = f"{name.removesuffix(ending)}.weight"
        if tensor.dtype.word in numbers and weight not in model:
            stands[weight] = name
            shapes[name] = packed(*(n * tensor.numel for n in numbers[tensor.dtype.word]))
    return stands
