"""What can be quantised to: the words that people type, and the pieces that each makes of a weight.

Sources: ComfyUI QUANTIZATION.md, comfy/quant_ops.py and ``convert_old_quants`` (the old form);
bitsandbytes nn/modules.py ``Linear4bit`` as it saves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kanna.codebooks import DYNAMIC, FOUR_BIT
from kanna.dtypes import FP8_E4M3, FP8_E5M2, FP32, UINT8, DType
from kanna.model import TensorInfo
from kanna.plan import STATE_ROOM, Constant, Encoded, FourBit, OneScale, Output, WeightedSum
from kanna.quantizing import comfy
from kanna.quantizing.bitsandbytes import (
    ABSMAX,
    MAP,
    NESTED_ABSMAX,
    NESTED_MAP,
    STATE,
    state_text,
)
from kanna.quantizing.comfy import Activations
from kanna.views.decoded import NESTED_BLOCK

Form = Literal["current", "old"]
_BLOCK: Final = 64  # bitsandbytes' own, and the only one that Forge and diffusers write
_LARGEST: Final[Mapping[DType, float]] = {FP8_E4M3: 448.0, FP8_E5M2: 57344.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A weight to be quantised: its name, its numbers, and what else of it goes on.

    `before` is the dtype that the file has it in, `activations` what the file says of its inputs.
    """

    name: str
    tensor: TensorInfo
    before: DType
    activations: Activations = field(default_factory=Activations)

    @property
    def layer(self) -> str:
        """The name of the layer that it is the weight of."""
        return self.name.removesuffix(".weight")


Pieces = Callable[[Weight], Iterator[Output]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One thing to quantise to: its word, its pieces of a weight, what a program needs besides.

    `matrices` says that it knows matrices only, no convolutions. `scaled` is the dtype of scaled
    fp8; ComfyUI is told so by a list and markers of layers, or with `marker` by one for all.
    `packed` weights are lists of bytes, which have not the shape of the weight.
    """

    word: str
    pieces: Pieces
    matrices: bool = True
    scaled: DType | None = None
    marker: bool = False
    packed: bool = False


def scheme_called(word: str, *, form: Form = "current", nested: bool = False) -> Scheme | None:
    """Return the scheme that people call `word`, or None where there is none."""
    if word in _PLAIN:
        return Scheme(word=word, pieces=_plain(_PLAIN[word]), matrices=False)
    if word in _ONE_SCALE:
        return _one_scale(word, _ONE_SCALE[word], form)
    if word in FOUR_BIT:
        return Scheme(word=word, pieces=_four_bit(word, nested=nested), packed=True)
    return None


_PLAIN: Final[Mapping[str, DType]] = {"fp8_e4m3": FP8_E4M3, "fp8_e5m2": FP8_E5M2}
_ONE_SCALE: Final[Mapping[str, DType]] = {
    "fp8_scaled": FP8_E4M3,
    "fp8_scaled_e5m2": FP8_E5M2,
}
SCHEMES: Final = (*_PLAIN, *_ONE_SCALE, *FOUR_BIT)
FORMED: Final = tuple(_ONE_SCALE)


def _plain(dtype: DType) -> Pieces:
    def pieces(weight: Weight) -> Iterator[Output]:
        op, tensor = WeightedSum(clipped=True), weight.tensor
        yield Output(weight.name, dtype, tensor.shape, op, (tensor,), compared=True)

    return pieces


def _one_scale(word: str, dtype: DType, form: Form) -> Scheme:
    old, encoding = form == "old", OneScale(_LARGEST[dtype])
    of_weight, of_inputs = (
        ("scale_weight", "scale_input") if old else ("weight_scale", "input_scale")
    )

    def pieces(weight: Weight) -> Iterator[Output]:
        layer, tensor, inputs = weight.layer, weight.tensor, weight.activations
        yield Output(weight.name, dtype, tensor.shape, Encoded(encoding), (tensor,), compared=True)
        yield Output(f"{layer}.{of_weight}", FP32, (), Encoded(encoding, "scale"), (tensor,))
        if inputs.scale is not None:
            yield Output.of(inputs.scale, name=f"{layer}.{of_inputs}")
        if not old:
            text = json.dumps(comfy.layer_row(dtype, inputs)).encode()
            yield Output(f"{layer}.comfy_quant", UINT8, (len(text),), Constant(text))

    return Scheme(word=word, pieces=pieces, scaled=dtype, marker=old)


def _four_bit(kind: str, *, nested: bool) -> Pieces:
    encoding = FourBit(FOUR_BIT[kind], _BLOCK, nested)

    def pieces(weight: Weight) -> Iterator[Output]:
        name, tensor, dtype = weight.name, weight.tensor, weight.before.torch or "float32"
        codes, blocks = -(-tensor.numel // 2), -(-tensor.numel // _BLOCK)
        text = state_text(kind, _BLOCK, dtype, tensor.shape, nested=nested)

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
