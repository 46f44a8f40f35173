"""Modules of LoRAs with new factors, under the names that they have, or in another dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kanna.lora.dialects import Dialect, dialects
from kanna.lora.made import Made, module_of
from kanna.lora.modules import Kind, Module
from kanna.lora.products import is_product
from kanna.lora.writing import Spelled, named, spelled
from kanna.model import TensorInfo
from kanna.views.computed import summed

# What goes with the product of a module whatever its rank is.
_STAYS: Final = ("magnitude", "up_bias", "bias")
_PEFT: Final = ".lora_A."


def remade(module: Module, made: Made) -> Module:
    """Return `module` with new factors; what stands beside its product stays."""
    new = module_of(made, module.reach, module.path)
    stays = {word: _scaled(module, word) for word in _STAYS if word in module.pieces}
    kind: Kind = "dora" if "magnitude" in stays and is_product(module) else "lora"
    return replace(new, name=module.name, kind=kind, pieces={**new.pieces, **stays})


def _scaled(module: Module, word: str) -> TensorInfo:
    """Return a piece; one that alpha scaled as its numbers count, now that alpha does not."""
    piece = module.pieces[word]
    if word != "up_bias" or module.scale == 1:
        return piece
    return summed([piece], [module.scale], piece.dtype)


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
