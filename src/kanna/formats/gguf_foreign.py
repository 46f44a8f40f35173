"""Types of GGUF that the kernel does not know: decoded by the ``gguf`` package, a run at a time.

This is the one module that imports it (and numpy, which it computes with), when numbers are read.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kanna.dtypes import FP32
from kanna.errors import MissingExtra
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.model import TensorInfo
from kanna.views.computed import Computed


def decoded(tensor: TensorInfo) -> TensorInfo:
    """Return `tensor` as fp32 numbers if it is of a type that only ``gguf`` decodes, else itself.

    Raises:
        MissingExtra: it is, and the package is not installed.
    """
    dtype = tensor.dtype
    if not isinstance(dtype, BlockType) or dtype.code is not None:
        return tensor
    _package()
    return view(tensor, dtype)


def view(tensor: TensorInfo, dtype: BlockType) -> TensorInfo:
    """Return the numbers of `tensor`, which holds blocks of `dtype`, as ``gguf`` decodes them."""

    def run(first: int, count: int, out: memoryview) -> None:
        stored = bytearray(-(-count // dtype.elements) * dtype.block_bytes)
        tensor.data.read_into(dtype.nbytes(first), memoryview(stored))
        out[:] = memoryview(_dequantized(stored, dtype)).cast("B")[: len(out)]

    data = Computed(run, tensor.numel, dtype.elements, tensor.data.whole, inputs=(tensor,))
    return TensorInfo(tensor.name, FP32, tensor.shape, data)


def _dequantized(stored: bytearray, dtype: BlockType) -> Any:
    numpy, gguf = import_module("numpy"), _package()
    kind = next(number for number, known in GGML_TYPES.items() if known is dtype)
    blocks = numpy.frombuffer(stored, dtype=numpy.uint8).reshape(1, -1)
    with numpy.errstate(all="ignore"):  # Inf and NaN are the kernel's to count
        numbers = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType(kind))
    return numpy.ascontiguousarray(numbers, dtype="<f4").reshape(-1)


def _package() -> Any:
    try:
        return import_module("gguf")
    except ImportError as error:
        raise MissingExtra("formats.gguf_extra") from error
