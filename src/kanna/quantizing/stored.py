"""Quantised weights of a file as the plain tensors that they stand for, decoded as they are read.

Sources: ComfyUI comfy/utils.py ``convert_old_quants`` and comfy/quant_ops.py; bitsandbytes
functional.py ``QuantState`` and nn/modules.py ``Linear8bitLt``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kanna.errors import FormatError, Incompatible
from kanna.formats.ggml_types import BlockType
from kanna.formats.gguf_foreign import decoded
from kanna.identify.quantization import Schemes
from kanna.model import ModelFile, TensorInfo
from kanna.quantizing.bitsandbytes import STATES, read_four_bit
from kanna.quantizing.comfy import (
    MARKER,
    QUANTIZATION_METADATA,
    layer_list,
    layers_in,
    marked,
)
from kanna.views.decoded import as_fp32, scaled

_SCALES: Final = (".scale_weight", ".weight_scale")
_BESIDE_SCALE: Final = (*_SCALES, ".scale_input", ".input_scale", ".comfy_quant")
# Beside these the numbers are more than a weight over a scale.
_MORE: Final = (".weight_scale_2", ".pre_quant_scale", ".weight_scale_inv")
_SCALED: Final = ("fp8_e4m3", "fp8_e5m2", "int8")
_INT8: Final = 1 / 127  # bitsandbytes' largest number of a row stands for 127


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight that a file holds quantised, as fp32, and the names of all that stands beside it."""

    tensor: TensorInfo
    beside: tuple[str, ...]


def dequantised(model: ModelFile, names: Collection[str] | None = None) -> ModelFile:
    """Return `model` with plain fp32 tensors for its quantised weights; what stood beside is gone.

    With `names` only weights among these are decoded.

    Raises:
        Incompatible: a weight is quantised in a way that cannot be decoded here.
        FormatError: what stands beside a weight is not what it must be.
        MissingExtra: it is of a type of GGUF that takes the ``gguf`` package.
    """
    wanted = set(model if names is None else names)
    weights = {name: weight for name, weight in _weights(model, wanted) if name in wanted}
    beside = {one for weight in weights.values() for one in weight.beside}
    if weights:
        beside |= {name for name in wanted if name.rpartition(".")[2] == MARKER}
    _check_all_read(model, wanted - beside - set(weights))
    tensors = {
        name: weights[name].tensor if name in weights else tensor
        for name, tensor in model.items()
        if name not in beside
    }
    return replace(model, tensors=tensors, metadata=_metadata(model.metadata, weights))


def is_quantised(model: ModelFile, names: Collection[str]) -> bool:
    """Whether any of `names` is a quantised weight, or stands beside one."""
    schemes = Schemes(model)
    return any(
        isinstance(model[name].dtype, BlockType)
        or model[name].dtype.word in _SCALED
        or schemes.match(name) is not None
        for name in names
    )


def _weights(model: ModelFile, wanted: Collection[str]) -> Iterator[tuple[str, Weight]]:
    listed = layers_in(model.metadata)
    turned = {layer for layer, row in listed.items() if _is_turned(row)}
    for name in wanted:
        tensor = model[name]
        if isinstance(tensor.dtype, BlockType):
            known = decoded(tensor)
            yield name, Weight(as_fp32(tensor) if known is tensor else known, ())
        elif (state := next((s for s in STATES if f"{name}.{s}" in model), None)) is not None:
            yield name, Weight(*read_four_bit(model, name, state))
        elif tensor.dtype.word in _SCALED and name.endswith(".weight"):
            yield from _scaled_weight(model, name, turned)


def _scaled_weight(model: ModelFile, name: str, turned: set[str]) -> Iterator[tuple[str, Weight]]:
    layer = name.removesuffix(".weight")
    if any(layer + more in model for more in _MORE) or _is_turned(marked(model, layer)):
        return
    if not turned.isdisjoint(_endings(layer)):
        return
    if (own := f"{layer}.SCB") in model and model[name].dtype.word == "int8":
        beside = tuple(n for n in (own, f"{layer}.weight_format") if n in model)
        yield name, Weight(_times(model, name, own, _INT8), beside)
        return
    scale = next((layer + tail for tail in _SCALES if layer + tail in model), None)
    if scale is not None and model[scale].dtype.is_float and model[scale].dtype.bits >= 16:
        beside = tuple(layer + tail for tail in _BESIDE_SCALE if layer + tail in model)
        yield name, Weight(_times(model, name, scale, 1.0), beside)


def _times(model: ModelFile, name: str, scale: str, factor: float) -> TensorInfo:
    try:
        return scaled(model[name], model[scale], factor)
    except ValueError as error:
        raise FormatError(
            "quantize.bad_scale", path=model.path, name=scale, shape=list(model[scale].shape)
        ) from error


def _check_all_read(model: ModelFile, names: Collection[str]) -> None:
    """Refuse names that are a part of a quantisation and of no weight that was decoded."""
    schemes = Schemes(model)
    for name in sorted(names):
        if (scheme := schemes.match(name)) is not None:
            raise Incompatible(
                "quantize.cannot_decode", path=model.path, name=name, scheme=scheme or "?"
            )


def _is_turned(row: object) -> bool:
    """Whether what is said of a layer tells that its weight is rotated as well."""
    if not isinstance(row, dict):
        return False
    more = row.get("params")
    return bool(row.get("convrot") or (isinstance(more, dict) and more.get("convrot")))


def _metadata(metadata: Mapping[str, str], weights: Mapping[str, Weight]) -> dict[str, str]:
    """Return the metadata without the layers that are no longer quantised."""
    kept = {key: value for key, value in metadata.items() if key != QUANTIZATION_METADATA}
    gone = {ending for name in weights for ending in _endings(name.removesuffix(".weight"))}
    left = {layer: row for layer, row in layers_in(metadata).items() if layer not in gone}
    return kept | layer_list(left)


def _endings(name: str) -> Iterator[str]:
    """Yield a name with all of its beginnings cut off: lists of layers know no prefix of a part."""
    segments = name.split(".")
    return (".".join(segments[start:]) for start in range(len(segments)))
