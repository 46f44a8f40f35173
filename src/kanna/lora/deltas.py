"""What a module adds to its layer's weight, as fp32 numbers that are made when they are read.

Most are made some rows at a time. Where the magnitudes of DoRA go by inputs, and for BOFT, the
whole weight is needed at once.
"""

from __future__ import annotations

from importlib import import_module
from math import ceil, prod
from typing import Final

from kanna.errors import Incompatible
from kanna.lora.modules import Module
from kanna.lora.pieces import numbers_of
from kanna.lora.sizes import size_of
from kanna.merging.computing import require_torch
from kanna.merging.terms import Sum, Term
from kanna.model import TensorInfo
from kanna.views import reshaped, rows
from kanna.views.computed import computed, copies_of, fp32_of

# Kinds of which the layer's weight must be known, beside all that have magnitudes.
_NEED_WEIGHT: Final = frozenset({"ia3", "glora", "oft", "boft"})
# Kinds whose strength is no factor of what they add.
_BENT: Final = frozenset({"boft"})
_COMPUTED: Final = frozenset({"lora", "dora", "loha", "lokr", *_NEED_WEIGHT})
_RUN: Final = 1 << 19  # numbers that the engine makes at once, about


def added(
    module: Module,
    weight: TensorInfo,
    strength: float,
    *,
    height: int | None = None,
    first: int = 0,
) -> Sum:
    """Return what `module` adds to `weight`, at `strength`.

    `weight` may be only some of the `height` rows that the layer has, from `first` on.

    Raises:
        Incompatible: the module does not fit the weight, or nobody knows its formula.
        MissingExtra: it takes torch, which is not installed.
    """
    height = (weight.shape or (0,))[0] if height is None else height
    for word in ("diff", "norm"):
        if word in module.pieces:
            return (Term(_cut(module, word, weight, height, first), strength),)
    if "set" in module.pieces:
        return Term(_cut(module, "set", weight, height, first), strength), Term(weight, -strength)
    if module.kind not in _COMPUTED:
        raise Incompatible("lora.no_formula", name=module.name, kind=module.kind)
    _check(module, weight, height)
    require_torch(f"lora ({module.kind})")
    linear = is_linear(module)
    made = _view(module, weight, first, 1.0 if linear else strength, part=height != weight.shape[0])
    return (Term(made, strength if linear else 1.0),)


def added_to_bias(
    module: Module, bias: TensorInfo, strength: float, *, height: int | None = None, first: int = 0
) -> Sum:
    """Return what `module` adds to the bias of its layer, or to some of its `height` numbers.

    Raises:
        Incompatible: it does not fit.
    """
    height = (bias.shape or (0,))[0] if height is None else height
    return tuple(
        Term(_cut(module, word, bias, height, first), strength * factor)
        for word, factor in (("bias", 1.0), ("up_bias", module.scale))
        if word in module.pieces
    )


def is_linear(module: Module) -> bool:
    """Whether twice the strength adds twice as much."""
    return module.kind not in _BENT


def adds_to_weight(module: Module) -> bool:
    """Whether a module changes more than a bias."""
    return not module.pieces.keys() <= {"bias", "up_bias"}


def adds_to_bias(module: Module) -> bool:
    """Whether a module changes the bias of its layer."""
    return not {"bias", "up_bias"}.isdisjoint(module.pieces)


def _cut(module: Module, word: str, target: TensorInfo, height: int, first: int) -> TensorInfo:
    """Return a piece that is as large as its layer: as many rows of it as `target` has."""
    piece = module.pieces[word]
    if not target.shape or piece.numel * target.shape[0] != target.numel * height:
        raise _unfit(module, target, height)
    whole = reshaped(piece, (height, *target.shape[1:]))
    return rows(whole, first, first + target.shape[0])


def _check(module: Module, weight: TensorInfo, height: int) -> None:
    """Refuse a module that is not for a layer of `height` rows like those of `weight`."""
    asked, size = (height, prod(weight.shape[1:])), size_of(module)
    fits = size and all(one in {None, want} for one, want in zip(size, asked, strict=True))
    each = module.pieces.get("scale" if module.kind == "ia3" else "magnitude")
    if each is not None:  # a number for each input, or for each output
        number = (*weight.shape, 0)[1] if _by_input(module, weight) else height
        fits = fits and each.numel == number
    if not weight.shape or not fits:
        raise _unfit(module, weight, height)


def _view(
    module: Module, weight: TensorInfo, offset: int, strength: float, *, part: bool
) -> TensorInfo:
    needs = module.decomposed or module.kind in _NEED_WEIGHT
    by_input = _by_input(module, weight)
    whole = module.kind in _BENT or (module.decomposed and by_input)
    unit = module.pieces["rotation"].shape[-1] if module.kind == "oft" else 1
    if part and (whole or unit > 1):
        raise Incompatible("lora.needs_all_rows", name=module.name, kind=module.kind)
    row = prod(weight.shape[1:])
    limit = module.alpha or 0.0  # of a rotation alpha is the most it may turn, for each row
    length = weight.shape[0]

    def run(start: int, count: int, out: memoryview) -> None:
        maths = import_module("kanna.tensor_math.lora_products")
        pieces = {w: numbers_of(one) for w, one in module.pieces.items() if w not in _NO_NUMBERS}
        top = offset + start // row
        asked = maths.Asked(
            first=top, last=top + count // row, row=weight.shape[1:], scale=module.scale,
            strength=strength, limit=limit * length, by_input=by_input,
        )  # fmt: skip
        before = fp32_of(weight, start, count) if needs else None
        maths.fill(module.kind, pieces, before, asked, out)

    read = sum(piece.numel for piece in module.pieces.values())
    copies = 2 + 3 * needs + ceil(read / min(_RUN, max(weight.numel, 1)))
    return computed(
        weight.name, weight.shape, run, numel=weight.numel, unit=unit * max(row, 1),
        whole=whole or (needs and weight.data.whole), copies=copies + needs * copies_of(weight),
        inputs=(*module.pieces.values(), *([weight] if needs else [])),
    )  # fmt: skip


# Pieces that are no numbers to compute with.
_NO_NUMBERS: Final = frozenset({"input", "bias", "up_bias", "reshape"})


def _by_input(module: Module, weight: TensorInfo) -> bool:
    """Whether the magnitudes, or the numbers of IA3, go by the inputs of the layer.

    LyCORIS tells them apart by their shape, [out, 1] or [1, in]; PEFT's go by outputs.
    """
    if module.kind == "ia3":
        return bool((module.pieces["input"].numbers() or (0,))[0])
    magnitude = module.pieces.get("magnitude")
    if magnitude is None or magnitude.name.rpartition(".")[2] != "dora_scale":
        return False
    shape = magnitude.shape
    return len(shape) > 1 and shape[0] == 1 and shape[1] > 1 and weight.shape[:1] != (1,)


def _unfit(module: Module, weight: TensorInfo, height: int) -> Incompatible:
    shape = (height, *weight.shape[1:])
    return Incompatible(
        "lora.unfit", name=module.name, weight=weight.name, shape="x".join(map(str, shape))
    )
