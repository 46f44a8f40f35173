"""What modules add that are no product of two matrices, as numbers of the whole layer."""

from __future__ import annotations

from math import prod
from typing import Final

from kanna.dtypes import FP32
from kanna.errors import Incompatible
from kanna.lora.deltas import added
from kanna.lora.modules import Module
from kanna.lora.sizes import size_of
from kanna.merging.terms import as_tensor
from kanna.views.computed import fp32_of
from kanna.views.given import zeros

# What these add depends on no weight.
_DENSE: Final = frozenset({"loha", "lokr"})


def is_dense(module: Module) -> bool:
    """Whether a module has numbers for its whole layer, of which two factors can be made."""
    return module.kind in _DENSE and not module.decomposed


def dense_shape(module: Module) -> tuple[int, ...]:
    """Return the shape of the layer; of a convolution without a core as a matrix.

    Raises:
        Incompatible: the pieces do not tell it.
    """
    rows, columns = size_of(module) or (None, None)
    if rows is None or columns is None:
        raise Incompatible("lora_making.unfit", name=module.name)
    core = module.pieces.get("core")
    kernel = core.shape[2:] if core is not None else ()
    return (rows, columns // prod(kernel), *kernel)


def matrix_of(module: Module, strength: float = 1.0) -> tuple[bytearray, tuple[int, ...]]:
    """Return what a module adds, times `strength`, in fp32, and the shape of its layer.

    Raises:
        Incompatible: the pieces do not fit together.
        FormatError: the file does not hold what its header says.
    """
    shape = dense_shape(module)
    tensor = as_tensor(added(module, zeros(module.name, FP32, shape), strength))
    return fp32_of(tensor, 0, tensor.numel), shape
