"""Modules of LoRAs with new factors, under the names that they have, or in another dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from kanna.errors import Incompatible
from kanna.lora.dialects import Dialect, dialects
from kanna.lora.joining_loras import Sum
from kanna.lora.made import Made, module_of
from kanna.lora.modules import Kind, Module
from kanna.lora.products import is_product
from kanna.lora.writing import Spelled, named, spelled
from kanna.model import TensorInfo
from kanna.views.computed import summed

_PEFT: Final = ".lora_A."


def remade(one: Sum, made: Made) -> Module:
    """Return the first module of a sum with new factors; what stands beside its product stays."""
    first = one.shares[0].module
    new = module_of(made, first.reach, first.path)
    stays = dict(_biases(one))
    if first.decomposed:
        stays["magnitude"] = first.pieces["magnitude"]
    kind: Kind = "dora" if first.decomposed and is_product(first) else "lora"
    return replace(new, name=first.name, kind=kind, pieces={**new.pieces, **stays})


def _biases(one: Sum) -> Iterator[tuple[str, TensorInfo]]:
    """Yield the sums of biases: alpha has scaled those of factors, and does so no more.

    Raises:
        Incompatible: they differ in size.
    """
    for word in ("up_bias", "bias"):
        some = [share for share in one.shares if word in share.module.pieces]
        pieces = [share.module.pieces[word] for share in some]
        scales = [share.module.scale if word == "up_bias" else 1.0 for share in some]
        weights = [share.weight * scale for share, scale in zip(some, scales, strict=True)]
        sizes = sorted({piece.numel for piece in pieces})
        if len(sizes) > 1:
            first, second = sizes[:2]
            raise Incompatible("lora_making.sizes", name=one.name, first=first, second=second)
        if pieces:
            yield word, pieces[0] if weights == [1] else summed(pieces, weights, pieces[0].dtype)


def dialect_of(modules: Sequence[Module]) -> Dialect | None:
    """Return the dialect in which `modules` are spelled, or None where nobody writes it now."""
    names = [tensor.name for module in modules for tensor in module.pieces.values()]
    if any(_PEFT in name for name in names):
        whole = all(module.name.startswith("base_model.") for module in modules)
        return dialects()["peft" if whole else "diffusers"]
    if any(name.endswith(_OLD) for name in names):
        return None
    return dialects()["comfy" if any("." in module.path for module in modules) else "kohya"]


# Of diffusers' first LoRAs, and of XLabs'.
_OLD: Final = ("lora.up.weight", "_lora.up.weight", "lora_linear_layer.up.weight",
               "_lora1.up.weight", "_lora2.up.weight")  # fmt: skip


def written(
    modules: Sequence[Module], own: Dialect | None, dialect: str | None, architecture: str | None
) -> Spelled:
    """Return `modules`, which are spelled in the dialect `own`, in `dialect`; None: as they are.

    Raises:
        UsageError: there is no such dialect.
        Incompatible: a module has no form or no name there.
        FormatError: a file does not hold what its header says.
    """
    if own is None or (dialect is not None and dialect != own.name):
        return named(modules, dialect or "diffusers", architecture)
    parts: dict[str, list[Module]] = {}
    for module in modules:
        parts.setdefault(module.name.removesuffix(module.path), []).append(module)
    return spelled(list(parts.items()), own)
