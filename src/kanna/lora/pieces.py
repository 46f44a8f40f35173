"""Tensors as fp32 numbers: the last pieces of modules are kept, a weight is made in many runs."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from kanna.dtypes import FP32
from kanna.errors import NumericError
from kanna.kernel import max_abs
from kanna.model import TensorInfo
from kanna.views.computed import fp32_of

_MOST_BYTES: Final = 32 << 20


class _Kept:
    """The numbers that were read last, up to so many bytes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[int, tuple[TensorInfo, bytearray]] = OrderedDict()

    def read(self, tensor: TensorInfo) -> bytearray:
        """Return the numbers of `tensor`, which nobody may change."""
        with self._lock:
            if id(tensor) in self._held:
                self._held.move_to_end(id(tensor))
                return self._held[id(tensor)][1]
        data = fp32_of(tensor, 0, tensor.numel)
        with self._lock:
            self._held[id(tensor)] = tensor, data
            while sum(len(kept) for _, kept in self._held.values()) > _MOST_BYTES:
                self._held.popitem(last=False)
        return data


_KEPT: Final = _Kept()


def numbers_of(tensor: TensorInfo) -> tuple[bytearray, tuple[int, ...]]:
    """Return the fp32 numbers of a piece, and its shape; they are shared: nobody may change them.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    return _KEPT.read(tensor), tensor.shape


def finite_numbers(tensor: TensorInfo) -> bytearray:
    """Return the fp32 numbers of a tensor of which factors are made.

    Raises:
        NumericError: it holds NaN or Inf.
        FormatError: the file does not hold what its header says.
    """
    data = fp32_of(tensor, 0, tensor.numel)
    _, not_finite = max_abs(data, FP32, tensor.numel)
    if not_finite:
        raise NumericError("lora_making.not_finite", name=tensor.name, count=not_finite)
    return data
