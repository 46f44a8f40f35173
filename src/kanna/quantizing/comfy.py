"""What ComfyUI's scaled files say beside their weights: of each layer, and of what comes into it.

Sources: ComfyUI QUANTIZATION.md; comfy/ops.py ``MixedPrecisionOps``; comfy/quant_ops.py
``QUANT_ALGOS``; comfy/utils.py ``convert_old_quants``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from kanna.dtypes import FP8_E4M3, FP8_E5M2, DType
from kanna.model import ModelFile, TensorInfo

QUANTIZATION_METADATA: Final = "_quantization_metadata"
MARKER: Final = "scaled_fp8"
FORMATS: Final = MappingProxyType({FP8_E4M3: "float8_e4m3fn", FP8_E5M2: "float8_e5m2"})
_INPUT_SCALES: Final = (".input_scale", ".scale_input")
_FULL_PRECISION: Final = "full_precision_matrix_mult"
_FULL_PRECISION_MARKER: Final = 2  # elements of the old form's marker where no layer casts inputs
_LARGEST_MARKER: Final = 4096  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations:
    """What is done with the inputs of a layer: scaled with `scale`, or left in `full_precision`.

    A scale was measured on pictures: nothing can make it anew.
    """

    scale: TensorInfo | None = None
    full_precision: bool = False


def activations_in(
    model: ModelFile, prefix: str, layers: Iterable[str], dtype: DType
) -> dict[str, Activations]:
    """Return what `model` says of those `layers`, of a part under `prefix`, that are in `dtype`.

    A scale makes inputs fit one dtype; it means nothing in another.
    """
    listed = layers_in(model.metadata)
    marker = model.get(f"{prefix}{MARKER}")
    every = marker is not None and marker.numel == _FULL_PRECISION_MARKER
    return {
        layer: _activations(model, layer, every, listed.get(layer, listed.get(layer[len(prefix):])))
        for layer in layers
        if (weight := model.get(f"{layer}.weight")) is not None and weight.dtype is dtype
    }  # fmt: skip


def _activations(model: ModelFile, layer: str, every: bool, row: object) -> Activations:  # noqa: FBT001
    scales = (model.get(layer + tail) for tail in _INPUT_SCALES)
    scale = next((s for s in scales if s is not None and s.dtype.is_float and s.numel == 1), None)
    said = (marked(model, layer), row)
    full = any(isinstance(one, dict) and one.get(_FULL_PRECISION) is True for one in said)
    return Activations(scale=scale, full_precision=every or full)


def layer_row(dtype: DType, activations: Activations) -> dict[str, object]:
    """Return what is said of a layer in `dtype`, in its marker and in the list of layers."""
    more = {_FULL_PRECISION: True} if activations.full_precision else {}
    return {"format": FORMATS[dtype], **more}


def marker_shape(activations: Iterable[Activations]) -> tuple[int]:
    """Return the shape of the old form's marker; one layer is enough to let all inputs be."""
    return (_FULL_PRECISION_MARKER if any(one.full_precision for one in activations) else 0,)


def marked(model: ModelFile, layer: str) -> dict[str, Any]:
    """Return what the marker of a layer says, {} where there is none that can be read."""
    marker = model.get(f"{layer}.comfy_quant")
    if marker is None or marker.nbytes > _LARGEST_MARKER:
        return {}
    with suppress(ValueError, RecursionError):
        held = json.loads(marker.read())
        return held if isinstance(held, dict) else {}
    return {}


def list_in(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return ComfyUI's list of quantised layers as the metadata have it; {} where it is none.

    Text in metadata may be anything. The list is ``{"format_version": …, "layers": {layer:
    {"format": …}}}``, where a layer is the full name of a module.
    """
    with suppress(ValueError, RecursionError):
        held = json.loads(metadata.get(QUANTIZATION_METADATA, "null"))
        if isinstance(held, dict) and isinstance(held.get("layers"), dict):
            return held
    return {}


def layers_in(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return what the metadata say of each quantised layer, {} where they say nothing."""
    return dict(list_in(metadata).get("layers", {}))


def layer_list(layers: Mapping[str, object]) -> dict[str, str]:
    """Return the field of the metadata that lists quantised `layers`; none where there are none."""
    if not layers:
        return {}
    return {QUANTIZATION_METADATA: json.dumps({"format_version": "1.0", "layers": dict(layers)})}
