"""Slices along the second dimension, such as the channels that a convolution reads.

Meant for small tensors: all of one is read each time.
"""

from __future__ import annotations

from math import prod

from kanna.model import TensorInfo
from kanna.views.computed import Run, computed, copies_of, summed


def columns(tensor: TensorInfo, start: int, stop: int) -> TensorInfo:
    """Return the slices `start` to `stop` of `tensor` along its second dimension.

    Raises:
        ValueError: there are no such slices.
    """
    if len(tensor.shape) < 2 or not 0 <= start < stop <= tensor.shape[1]:
        raise ValueError(f"{tensor.shape}[:, {start}:{stop}]")
    row = tensor.dtype.nbytes(prod(tensor.shape[1:]))
    begin, end = (tensor.dtype.nbytes(n * prod(tensor.shape[2:])) for n in (start, stop))

    def run(first: int, count: int, out: memoryview) -> None:
        del first, count
        data = memoryview(tensor.read())
        rows = (data[at + begin : at + end] for at in range(0, len(data), row))
        out[:] = b"".join(rows)

    return _view(tensor, (tensor.shape[0], stop - start, *tensor.shape[2:]), run, (tensor,))


def beside(first: TensorInfo, second: TensorInfo) -> TensorInfo:
    """Return two tensors as one, side by side along the second dimension.

    They keep their dtype where it is one, else they are in fp32.

    Raises:
        ValueError: their other dimensions differ.
    """
    if (first.shape[0], first.shape[2:]) != (second.shape[0], second.shape[2:]):
        raise ValueError(f"{first.shape} | {second.shape}")
    if first.dtype is not second.dtype:
        first, second = summed([first], [1.0]), summed([second], [1.0])
    left, right = (one.dtype.nbytes(prod(one.shape[1:])) for one in (first, second))

    def run(start: int, count: int, out: memoryview) -> None:
        del start, count
        one, other = memoryview(first.read()), memoryview(second.read())
        out[:] = b"".join(
            part
            for row in range(first.shape[0])
            for part in (one[row * left : (row + 1) * left], other[row * right : (row + 1) * right])
        )

    shape = (first.shape[0], first.shape[1] + second.shape[1], *first.shape[2:])
    return _view(first, shape, run, (first, second))


def _view(
    tensor: TensorInfo, shape: tuple[int, ...], run: Run, inputs: tuple[TensorInfo, ...]
) -> TensorInfo:
    return computed(
        tensor.name, shape, run, numel=prod(shape), whole=True, dtype=tensor.dtype, inputs=inputs,
        copies=2 * len(inputs) + max(map(copies_of, inputs)),
    )  # fmt: skip
