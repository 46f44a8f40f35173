"""What modules add to their layer, as products of two narrow matrices where they are such."""

from __future__ import annotations

from math import prod
from typing import Final

from kanna.errors import Incompatible
from kanna.lora.modules import Module
from kanna.tensor_math.factor_values import Product
from kanna.views.computed import fp32_of

# DoRA's product is one, too; what its magnitudes make of it is another matter.
_PRODUCTS: Final = frozenset({"lora", "dora"})


def is_product(module: Module) -> bool:
    """Whether a module is two narrow matrices, perhaps with a core between them."""
    return module.kind in _PRODUCTS


def shape_of(module: Module) -> tuple[int, ...]:
    """Return the shape of the layer's weight, as the pieces of a product tell it."""
    up, down = module.pieces["up"].shape, module.pieces["down"].shape
    core = module.pieces.get("core")
    kernel = core.shape[2:] if core is not None else down[2:]
    return (up[0], down[1], *kernel)


def product_of(module: Module, strength: float = 1.0) -> Product:
    """Read a module's factors: what it adds, times `strength`, is their product.

    Raises:
        Incompatible: their shapes do not fit together.
        FormatError: the file does not hold what its header says.
    """
    up, down, core = (module.pieces.get(word) for word in ("up", "down", "core"))
    if up is None or down is None or not _fit(module):
        raise Incompatible("lora_making.unfit", name=module.name)
    shape = shape_of(module)
    return Product(
        up=fp32_of(up, 0, up.numel), down=fp32_of(down, 0, down.numel),
        rows=shape[0], rank=up.shape[1], columns=prod(shape[1:]),
        factor=module.scale * strength,
        core=None if core is None else fp32_of(core, 0, core.numel),
        core_shape=() if core is None else core.shape,
    )  # fmt: skip


def _fit(module: Module) -> bool:
    up, down = module.pieces["up"].shape, module.pieces["down"].shape
    if len(up) < 2 or len(down) < 2 or prod(up[2:]) != 1:
        return False
    if "core" not in module.pieces:
        return up[1] == down[0]
    core = module.pieces["core"].shape
    return len(core) > 2 and core[:2] == (up[1], down[0]) and prod(down[2:]) == 1
