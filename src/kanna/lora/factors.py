"""The factors of LoRAs joined and cut apart, as lazy views: no number changes.

What is one layer in one layout is some rows of another in the next. LoRAs of such layers share
their ``down`` (then the rows of ``up`` follow one another), or each has its own (then the downs
follow one another, and the ups stand in blocks along a diagonal).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from kanna.model import TensorInfo
from kanna.views import joined, rows
from kanna.views.computed import computed
from kanna.views.given import zeros


def same(tensors: Sequence[TensorInfo]) -> bool:
    """Whether `tensors` hold the same bytes.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    first, *others = tensors
    alike = [one for one in others if one.data != first.data]
    if any((one.dtype, one.shape) != (first.dtype, first.shape) for one in alike):
        return False
    data = first.read() if alike else b""
    return all(one.read() == data for one in alike)


def stacked(tensors: Sequence[TensorInfo | None], heights: Sequence[int]) -> TensorInfo:
    """Return tensors one after the other; where there is none, rows of zeros.

    Raises:
        ValueError: there are none at all, or their dtypes or rows differ.
    """
    first = next(one for one in tensors if one is not None)
    every = [
        zeros(first.name, first.dtype, (height, *first.shape[1:])) if one is None else one
        for one, height in zip(tensors, heights, strict=True)
    ]
    return joined(every)


def diagonal(ups: Sequence[TensorInfo], starts: Sequence[int], height: int) -> TensorInfo:
    """Return matrices [out, rank] along a diagonal, each with its rows from one of `starts` on.

    Raises:
        ValueError: their dtypes differ, or they have a kernel.
    """
    first = ups[0]
    if any(one.dtype is not first.dtype or prod(one.shape[2:]) != 1 for one in ups):
        raise ValueError([(one.dtype, one.shape) for one in ups])
    width = sum(one.shape[1] for one in ups)
    item = first.dtype.nbytes(1)

    def run(begin: int, count: int, out: memoryview) -> None:
        del begin, count
        out[:] = bytes(len(out))
        column = 0
        for up, start in zip(ups, starts, strict=True):
            data, wide = memoryview(up.read()), item * up.shape[1]
            for row in range(up.shape[0]):
                at = item * (width * (start + row) + column)
                out[at : at + wide] = data[row * wide : (row + 1) * wide]
            column += up.shape[1]

    shape = (height, width, *first.shape[2:])
    return computed(first.name, shape, run, numel=prod(shape), whole=True, dtype=first.dtype,
                    copies=1, inputs=ups)  # fmt: skip


def blocks(up: TensorInfo, heights: Sequence[int]) -> list[TensorInfo] | None:
    """Return the blocks of a matrix that has nothing beside them; None where it has.

    There are as many as `heights`, and all are of one width.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    width, rest = divmod(up.shape[1], len(heights))
    if rest or not width or prod(up.shape[2:]) != 1 or not _only_blocks(up, heights, width):
        return None
    starts = [sum(heights[:at]) for at in range(len(heights))]
    return [
        _block(up, start, height, at * width, width)
        for at, (start, height) in enumerate(zip(starts, heights, strict=True))
    ]


def _only_blocks(up: TensorInfo, heights: Sequence[int], width: int) -> bool:
    item = up.dtype.nbytes(1)
    data, wide, row = memoryview(up.read()), item * up.shape[1], 0
    for at, height in enumerate(heights):
        left, right = bytes(item * width * at), bytes(wide - item * width * (at + 1))
        for start in range(row * wide, (row + height) * wide, wide):
            end = start + wide
            if data[start : start + len(left)] != left or data[end - len(right) : end] != right:
                return False
        row += height
    return True


def _block(up: TensorInfo, start: int, height: int, column: int, width: int) -> TensorInfo:
    item = up.dtype.nbytes(1)
    source = rows(up, start, start + height)
    wide = item * up.shape[1]

    def run(first: int, count: int, out: memoryview) -> None:
        del first, count
        data = memoryview(source.read())
        begin, end = item * column, item * (column + width)
        out[:] = b"".join(data[at + begin : at + end] for at in range(0, len(data), wide))

    shape = (height, width, *up.shape[2:])
    return computed(up.name, shape, run, numel=prod(shape), whole=True, dtype=up.dtype,
                    copies=up.shape[1] // width, inputs=(source,))  # fmt: skip
