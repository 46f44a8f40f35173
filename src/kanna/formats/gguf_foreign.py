"""Types of GGUF that the kernel does not know: decoded by the ``gguf`` package, a run at a time.

This is the one module that imports it (and numpy, which it computes with), when numbers are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kanna.dtypes import FP32
from kanna.errors import MissingExtra
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.model import Data, Extent, TensorInfo

_WIDTH = FP32.nbytes(1)


def decoded(tensor: TensorInfo) -> TensorInfo:
    """Return `tensor` as fp32 numbers if it is of a type that only ``gguf`` decodes, else itself.

    Raises:
        MissingExtra: it is, and the package is not installed.
    """
    dtype = tensor.dtype
    if not isinstance(dtype, BlockType) or dtype.code is not None:
        return tensor
    _package()
    return TensorInfo(tensor.name, FP32, tensor.shape, Decoded(tensor.data, dtype))


@dataclass(frozen=True, slots=True)
class Decoded:
    """The fp32 numbers of blocks."""

    source: Data
    dtype: BlockType

    @property
    def whole(self) -> bool:
        """Whether the blocks can only be read from first to last."""
        return self.source.whole

    def extent(self) -> Extent | None:
        """Return None: the numbers lie nowhere."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the numbers.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        block = self.dtype.elements * _WIDTH
        first, last = start // block, -(-(start + len(out)) // block)
        stored = bytearray((last - first) * self.dtype.block_bytes)
        self.source.read_into(first * self.dtype.block_bytes, memoryview(stored))
        numbers = memoryview(_dequantized(stored, self.dtype)).cast("B")
        begin = start - first * block
        out[:] = numbers[begin : begin + len(out)]


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
