"""What A1111 computes, bit for bit: every product and every difference rounded as it is stored.

Source of the order of operations: AUTOMATIC1111 modules/extras.py (run_modelmerger), which works on
tensors as they were loaded: ``((1 - alpha) * a) + (alpha * b)`` and ``a + (b - c) * alpha``. A
number times a tensor has the tensor's dtype; two tensors have the one that torch promotes them to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kanna.dtypes import FP32, FP64, DType
from kanna.errors import UsageError
from kanna.merging.linear import weighted_sum
from kanna.merging.method import Method
from kanna.merging.terms import Sum, Term, as_tensor
from kanna.model import TensorInfo
from kanna.views.computed import summed


def rounded_as_a1111(method: Method, sums: Sequence[Sum], given: Mapping[str, Any]) -> Sum:
    """Return what A1111 makes of these models.

    Raises:
        UsageError: it has no such method, or merges no so many models.
    """
    rounded = _METHODS.get((method.name, len(sums)))
    if rounded is None:
        raise UsageError("merge.not_in_a1111", method=method.name,
                         known=", ".join(sorted({name for name, _ in _METHODS})))  # fmt: skip
    tensors = [as_tensor(one) for one in sums]
    return (Term(rounded(tensors, given)),)


def _weighted_sum(tensors: Sequence[TensorInfo], given: Mapping[str, Any]) -> TensorInfo:
    first, second = tensors
    less, more = weighted_sum(2, **given)
    return _added(_times(first, less), _times(second, more))


def _add_difference(tensors: Sequence[TensorInfo], given: Mapping[str, Any]) -> TensorInfo:
    first, second, third = tensors
    dtype = _promoted(second.dtype, third.dtype)
    difference = summed([second, third], [1.0, -1.0], dtype)
    return _added(first, _times(difference, given["alpha"]))


_METHODS: Final[
    Mapping[tuple[str, int], Callable[[Sequence[TensorInfo], Mapping[str, Any]], TensorInfo]]
] = {("weighted-sum", 2): _weighted_sum, ("add-difference", 3): _add_difference}


def _times(tensor: TensorInfo, number: float) -> TensorInfo:
    return summed([tensor], [number], tensor.dtype)


def _added(first: TensorInfo, second: TensorInfo) -> TensorInfo:
    return summed([first, second], [1.0, 1.0], _promoted(first.dtype, second.dtype))


def _promoted(first: DType, second: DType) -> DType:
    """Return what torch makes of two floating dtypes: the wider, or fp32 for two that differ."""
    if first is second:
        return first
    if FP64 in {first, second}:
        return FP64
    return FP32
