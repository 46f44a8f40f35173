"""What modules add to their layer, as products of two narrow matrices where they are such."""

from __future__ import annotations

from math import prod
from typing import Final

from kanna.lora.modules import Module
from kanna.lora.pieces import finite_numbers
from kanna.lora.sizes import shape_of
from kanna.tensor_math.factor_values import Product

# DoRA's product is one, too; what its magnitudes make of it is another matter.
_PRODUCTS: Final = frozenset({"lora", "dora"})
# What these add is a matrix of any rank, which depends on no weight.
_DENSE: Final = frozenset({"loha", "lokr"})


def is_product(module: Module) -> bool:
    """Whether a module is two narrow matrices, perhaps with a core between them."""
    return module.kind in _PRODUCTS


def is_dense(module: Module) -> bool:
    """Whether a module has numbers for its whole layer, of which two factors can be made."""
    return module.kind in _DENSE and not module.decomposed


def has_rank(module: Module) -> bool:
    """Whether a module can be cut down to another rank."""
    return is_product(module) or is_dense(module)


def product_of(module: Module, strength: float = 1.0) -> Product:
    """Read a module's factors: what it adds, times `strength`, is their product.

    Raises:
        Incompatible: their shapes do not fit together.
        NumericError: they hold NaN or Inf.
        FormatError: the file does not hold what its header says.
    """
    shape, core = shape_of(module), module.pieces.get("core")
    up, down = module.pieces["up"], module.pieces["down"]
    return Product(
        up=finite_numbers(up), down=finite_numbers(down),
        rows=shape[0], rank=up.shape[1], columns=prod(shape[1:]),
        factor=module.scale * strength,
        core=None if core is None else finite_numbers(core),
        core_shape=() if core is None else core.shape,
    )  # fmt: skip
