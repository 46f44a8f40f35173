"""What can be quantised to: the words that people type, and the pieces that each makes of a weight.

Sources: ComfyUI QUANTIZATION.md, comfy/quant_ops.py and ``convert_old_quants`` (the old form);
bitsandbytes nn/modules.py ``Linear4bit`` as it saves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from kanna.codebooks import DYNAMIC, FOUR_BIT
from kanna.dtypes import FP8_E4M3, FP8_E5M2, FP32, UINT8, DType
from kanna.model import TensorInfo
from kanna.plan import STATE_ROOM, Constant, Encoded, FourBit, OneScale, Output, WeightedSum
from kanna.quantizing.bitsandbytes import (
    ABSMAX,
    MAP,
    NESTED_ABSMAX,
    NESTED_MAP,
    STATE,
    state_text,
)
from kanna.views.decoded import NESTED_BLOCK

Form = Literal["current", "old"]
_BLOCK: Final = 64  # bitsandbytes' own, and the only one that Forge and diffusers write
_LARGEST: Final = MappingProxyType({FP8_E4M3: 448.0, FP8_E5M2: 57344.0})
# ComfyUI's names of formats, comfy/quant_ops.py QUANT_ALGOS.
COMFY_FORMATS: Final = MappingProxyType({FP8_E4M3: "float8_e4m3fn", FP8_E5M2: "float8_e5m2"})

# Makes the pieces of a weight, of the given name and dtype word in the file that it came from.
Pieces = Callable[[str, TensorInfo, DType], Iterator[Output]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One thing to quantise to: its word, its pieces of a weight, what a program needs besides.

    `matrices` says that it knows matrices only, no convolutions. `comfy` is ComfyUI's name of the
    format where a marker of each layer says it, `marker` the dtype of one for all layers.
    """

    word: str
    pieces: Pieces
    matrices: bool = True
    comfy: str | None = None
    marker: DType | None = None
    needs_config: bool = False


def scheme_called(word: str, *, form: Form = "current", nested: bool = False) -> Scheme | None:
    """Return the scheme that people call `word`, or None where there is none."""
    if word in _PLAIN:
        return Scheme(word=word, pieces=_plain(_PLAIN[word]), matrices=False)
    if word in _ONE_SCALE:
        return _one_scale(word, _ONE_SCALE[word], form)
    if word in FOUR_BIT:
        return Scheme(word=word, pieces=_four_bit(word, nested=nested), needs_config=True)
    return None


_PLAIN: Final[Mapping[str, DType]] = {"fp8_e4m3": FP8_E4M3, "fp8_e5m2": FP8_E5M2}
_ONE_SCALE: Final[Mapping[str, DType]] = {
    "fp8_scaled": FP8_E4M3,
    "fp8_scaled_e5m2": FP8_E5M2,
}
SCHEMES: Final = (*_PLAIN, *_ONE_SCALE, *FOUR_BIT)
FORMED: Final = tuple(_ONE_SCALE)


def _plain(dtype: DType) -> Pieces:
    def pieces(name: str, tensor: TensorInfo, before: DType) -> Iterator[Output]:
        del before
        yield Output(name, dtype, tensor.shape, WeightedSum(clipped=True), (tensor,), compared=True)

    return pieces


def _one_scale(word: str, dtype: DType, form: Form) -> Scheme:
    old, encoding = form == "old", OneScale(_LARGEST[dtype])
    text = json.dumps({"format": COMFY_FORMATS[dtype]}).encode()

    def pieces(name: str, tensor: TensorInfo, before: DType) -> Iterator[Output]:
        del before
        layer = name.removesuffix(".weight")
        yield Output(name, dtype, tensor.shape, Encoded(encoding), (tensor,), compared=True)
        scale = f"{layer}.scale_weight" if old else f"{layer}.weight_scale"
        yield Output(scale, FP32, (), Encoded(encoding, "scale"), (tensor,))
        if not old:
            yield Output(f"{layer}.comfy_quant", UINT8, (len(text),), Constant(text))

    if old:
        return Scheme(word=word, pieces=pieces, marker=dtype)
    return Scheme(word=word, pieces=pieces, comfy=COMFY_FORMATS[dtype])


def _four_bit(kind: str, *, nested: bool) -> Pieces:
    encoding = FourBit(FOUR_BIT[kind], _BLOCK, nested)

    def pieces(name: str, tensor: TensorInfo, before: DType) -> Iterator[Output]:
        codes, blocks = -(-tensor.numel // 2), -(-tensor.numel // _BLOCK)
        text = state_text(kind, _BLOCK, before.torch or "float32", tensor.shape, nested=nested)

        def piece(what: str) -> Encoded:
            return Encoded(encoding, what, text if what == "state" else b"")

        yield Output(name, UINT8, (codes, 1), piece("numbers"), (tensor,), compared=True)
        absmax = UINT8 if nested else FP32
        yield Output(f"{name}.{ABSMAX}", absmax, (blocks,), piece("absmax"), (tensor,))
        yield Output(f"{name}.{MAP}", FP32, (16,), Constant(encoding.table))
        if not nested:
            yield Output(f"{name}.{STATE}{kind}", UINT8, (len(text),), Constant(text))
            return
        whole = (-(-blocks // NESTED_BLOCK),)
        yield Output(f"{name}.{NESTED_ABSMAX}", FP32, whole, piece("nested_absmax"), (tensor,))
        yield Output(f"{name}.{NESTED_MAP}", FP32, (256,), Constant(DYNAMIC))
        room = (len(text) + STATE_ROOM,)
        yield Output(f"{name}.{STATE}{kind}", UINT8, room, piece("state"), (tensor,))

    return pieces
