"""What ComfyUI's marker tensors say: how each layer is quantised. Source: comfy/quant_ops.py."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kanna.families import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanna.identify.beside import Beside
    from kanna.identify.peek import Peek
    from kanna.model import TensorInfo

_MARKER: Final = ".comfy_quant"
# Layers alike are read once; more kinds of layers than these no file has.
_MOST: Final = 16
_LONGEST: Final = 256


def marked_formats(model: Mapping[str, TensorInfo], beside: Beside, peek: Peek) -> dict[str, str]:
    """Return the schemes of layers that ComfyUI's marker tensors name, by the layer's full name.

    A marker holds JSON bytes. One is read for all layers that are stored alike.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    words: Mapping[str, str] = tables()["everywhere"]["comfy_formats"]
    read: dict[object, str | None] = {}
    formats: dict[str, str] = {}
    for name in beside.scales:
        if not name.endswith(_MARKER):
            continue
        layer = name.removesuffix(_MARKER)
        weight = model.get(f"{layer}.weight")
        alike = (model[name].nbytes, weight and weight.dtype, f"{layer}.weight_scale_2" in model)
        if alike not in read and len(read) < _MOST:
            read[alike] = _marked(model[name], peek)
        if word := read.get(alike):
            formats[layer] = words.get(word, word)
    return formats


def _marked(marker: TensorInfo, peek: Peek) -> str | None:
    """Return the word of the format in a marker tensor, or None where it holds none."""
    if marker.dtype.word not in {"uint8", "int8"} or marker.nbytes > _LONGEST:
        return None
    with suppress(ValueError, TypeError, RecursionError):
        held = json.loads(bytes(int(value) & 0xFF for value in peek.values(marker) or ()))
        word = held.get("format") if isinstance(held, dict) else None
        return word if isinstance(word, str) and word.isprintable() else None
    return None
