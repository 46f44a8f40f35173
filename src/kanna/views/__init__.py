"""Tensors made of others without copying them: rows, joined, transposed, reshaped, renamed.

A view is a `TensorInfo` like any other, read lazily: it can be copied, cast, hashed, merged. Where
the bytes of a view lie in a file in one run, `Data.extent` says so, and the engine lets the system
move them. Views of views are looked through: what was cut apart and joined again is one run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from kanna.model import TensorInfo
from kanna.views.runs import chain, cut
from kanna.views.turned import turned

__all__ = ["joined", "renamed", "reshaped", "rows", "transposable", "transposed"]

# In so many rows any fraction of a byte, or of a block, that one row ends with makes some more.
_MANY: Final = 256


def renamed(tensor: TensorInfo, name: str) -> TensorInfo:
    """Return `tensor` under another name."""
    return (
        tensor if tensor.name == name else TensorInfo(name, tensor.dtype, tensor.shape, tensor.data)
    )


def reshaped(tensor: TensorInfo, shape: tuple[int, ...]) -> TensorInfo:
    """Return the same run of numbers in another shape.

    Raises:
        ValueError: the shape has room for more or for fewer.
    """
    if prod(shape) != tensor.numel:
        raise ValueError(f"{tensor.shape} is not {shape}")
    return TensorInfo(tensor.name, tensor.dtype, shape, tensor.data)


def rows(tensor: TensorInfo, start: int, stop: int) -> TensorInfo:
    """Return the slices `start` to `stop` of `tensor` along its first dimension.

    Raises:
        ValueError: there are no such slices, or they are not whole bytes (or blocks) each.
    """
    if not tensor.shape or not 0 <= start <= stop <= tensor.shape[0]:
        raise ValueError(f"{tensor.shape}[{start}:{stop}]")
    width = _row_bytes(tensor)
    data = cut(tensor.data, start * width, (stop - start) * width, tensor.nbytes)
    return TensorInfo(tensor.name, tensor.dtype, (stop - start, *tensor.shape[1:]), data)


def joined(tensors: Sequence[TensorInfo]) -> TensorInfo:
    """Return `tensors`, one after the other along the first dimension, under the first one's name.

    Raises:
        ValueError: there are none, their dtypes or their other dimensions differ, or their rows are
            not whole bytes (or blocks) each.
    """
    first, *others = tensors
    if not first.shape or any(
        one.dtype is not first.dtype or not one.shape or one.shape[1:] != first.shape[1:]
        for one in others
    ):
        raise ValueError([(one.dtype, one.shape) for one in tensors])
    for tensor in tensors if others else ():
        _row_bytes(tensor)
    shape = (sum(one.shape[0] for one in tensors), *first.shape[1:])
    data = chain([(one.data, one.nbytes) for one in tensors])
    return TensorInfo(first.name, first.dtype, shape, data)


def transposed(tensor: TensorInfo) -> TensorInfo:
    """Return the matrix `tensor`, [a, b], as [b, a].

    Raises:
        ValueError: it is no matrix, or its numbers are not whole bytes each.
    """
    if len(tensor.shape) != 2 or not transposable(tensor):
        raise ValueError(f"{tensor.dtype} {tensor.shape}")
    height, width = tensor.shape
    data = turned(tensor.data, height, width, tensor.dtype.nbytes(1))
    return TensorInfo(tensor.name, tensor.dtype, (width, height), data)


def transposable(tensor: TensorInfo) -> bool:
    """Whether the numbers of `tensor` can be put in another order: each is some whole bytes."""
    return tensor.dtype.bits % 8 == 0 and tensor.dtype.nbytes(1) * 8 == tensor.dtype.bits


def _row_bytes(tensor: TensorInfo) -> int:
    count = prod(tensor.shape[1:])
    nbytes = tensor.dtype.nbytes(count)
    if nbytes * _MANY != tensor.dtype.nbytes(count * _MANY):
        raise ValueError(f"{tensor.dtype} {tensor.shape}")
    return nbytes
