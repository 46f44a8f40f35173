"""Tensors whose bytes are at hand: scales, alphas, rows of zeros."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kanna.dtypes import FP32, DType
from kanna.model import Extent, TensorInfo


@dataclass(frozen=True, slots=True)
class Given:
    """Tensor data that is `data`, or only zeros where that is empty."""

    data: bytes = b""
    whole: bool = False

    def extent(self) -> Extent | None:
        """Return None: the bytes stand in no file."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` with the bytes from `start`."""
        out[:] = self.data[start : start + len(out)] if self.data else bytes(len(out))


def number(name: str, value: float) -> TensorInfo:
    """Return the tensor `name` of one number, in fp32 and without dimensions."""
    return TensorInfo(name, FP32, (), Given(struct.pack("<f", value)))


def zeros(name: str, dtype: DType, shape: tuple[int, ...]) -> TensorInfo:
    """Return the tensor `name` of zeros."""
    return TensorInfo(name, dtype, shape, Given())
