"""Tensors made of others without copying them: rows, joined, transposed, reshaped, renamed.

A view is a `TensorInfo` like any other, read lazily: it can be copied, cast, hashed, merged. Where
the bytes of a view lie in a file in one run, `Data.extent` says so, and the engine lets the system
move them. Views of views are looked through: what was cut apart and joined again is one run again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Final, Literal

from kanna.model import Data, Extent, FileRun, TensorInfo

_FORMATS: Final[dict[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


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
    data = _cut(tensor.data, start * width, (stop - start) * width, tensor.nbytes)
    return TensorInfo(tensor.name, tensor.dtype, (stop - start, *tensor.shape[1:]), data)


def joined(tensors: Sequence[TensorInfo]) -> TensorInfo:
    """Return `tensors`, one after the other along the first dimension, under the first one's name.

    Raises:
        ValueError: there are none, or their dtypes or their other dimensions differ.
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
    data = _chain([(one.data, one.nbytes) for one in tensors])
    return TensorInfo(first.name, first.dtype, shape, data)


def transposed(tensor: TensorInfo) -> TensorInfo:
    """Return the matrix `tensor`, [a, b], as [b, a].

    Raises:
        ValueError: it is no matrix, or its numbers are not whole bytes each.
    """
    if len(tensor.shape) != 2 or not transposable(tensor):
        raise ValueError(f"{tensor.dtype} {tensor.shape}")
    height, width = tensor.shape
    data = tensor.data
    turned: Data
    if isinstance(data, Transposed) and (data.height, data.width) == (width, height):
        turned = data.source
    elif 1 in tensor.shape:
        turned = data
    else:
        turned = Transposed(data, height, width, tensor.dtype.nbytes(1))
    return TensorInfo(tensor.name, tensor.dtype, (width, height), turned)


def transposable(tensor: TensorInfo) -> bool:
    """Whether the numbers of `tensor` can be put in another order: each is some whole bytes."""
    return tensor.dtype.bits % 8 == 0 and tensor.dtype.nbytes(1) * 8 == tensor.dtype.bits


def _row_bytes(tensor: TensorInfo) -> int:
    count = prod(tensor.shape[1:])
    nbytes = tensor.dtype.nbytes(count)
    if nbytes * tensor.shape[0] != tensor.nbytes:
        raise ValueError(f"{tensor.dtype} {tensor.shape}")
    return nbytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A run of `nbytes` bytes out of data of `total` bytes, from `offset` on."""

    source: Data
    offset: int
    nbytes: int
    total: int

    @property
    def whole(self) -> bool:
        """Whether the source can only be read from first to last."""
        return self.source.whole

    def extent(self) -> Extent | None:
        """Return where the run lies in a file, if the source lies in one."""
        around = self.source.extent()
        return around and Extent(around.file, around.offset + self.offset, self.nbytes)

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the run."""
        if not self.source.whole:
            self.source.read_into(self.offset + start, out)
            return
        everything = memoryview(bytearray(self.total))
        self.source.read_into(0, everything)
        begin = self.offset + start
        out[:] = everything[begin : begin + len(out)]


@dataclass(frozen=True, slots=True)
class Chain:
    """Runs of bytes, one after the other; `ends` says where each ends."""

    links: tuple[Data, ...]
    ends: tuple[int, ...]

    @property
    def whole(self) -> bool:
        """Whether one of them can only be read from first to last."""
        return any(link.whole for link in self.links)

    def extent(self) -> Extent | None:
        """Return None: runs that lie side by side in a file are made one before."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the chain."""
        done = 0
        at = bisect_right(self.ends, start)
        while done < len(out):
            begin = self.ends[at - 1] if at else 0
            count = min(self.ends[at] - start - done, len(out) - done)
            self.links[at].read_into(start + done - begin, out[done : done + count])
            done += count
            at += 1


@dataclass(frozen=True, slots=True)
class Transposed:
    """A matrix of `height` rows and `width` columns, read column by column; `item` bytes each."""

    source: Data
    height: int
    width: int
    item: int
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are not in order anywhere."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Read all, turn it, and fill `out` from `start` bytes into the turned matrix."""
        nbytes = self.height * self.width * self.item
        stored = memoryview(bytearray(nbytes))
        self.source.read_into(0, stored)
        turned = out if len(out) == nbytes else memoryview(bytearray(nbytes))
        self._turn(stored, turned)
        if turned is not out:
            out[:] = turned[start : start + len(out)]

    def _turn(self, stored: memoryview, turned: memoryview) -> None:
        word = min(self.item, max(_FORMATS))
        lanes = self.item // word  # complex128 is two doubles
        source, target = stored.cast(_FORMATS[word]), turned.cast(_FORMATS[word])
        column = self.height * lanes
        for index in range(self.width):
            for lane in range(lanes):
                begin = index * lanes + lane
                target[index * column + lane : (index + 1) * column : lanes] = source[
                    begin :: self.width * lanes
                ]


def _cut(data: Data, offset: int, nbytes: int, total: int) -> Data:
    """Return `nbytes` bytes of `data` from `offset` on, as simply as they can be said."""
    if nbytes == total:
        return data
    if isinstance(data, FileRun) and not data.whole:
        return FileRun(data.file, data.offset + offset, nbytes)
    if isinstance(data, Cut):
        return _cut(data.source, data.offset + offset, nbytes, data.total)
    if isinstance(data, Chain):
        return _chain(_links_between(data, offset, offset + nbytes))
    return Cut(data, offset, nbytes, total)


def _links_between(chain: Chain, start: int, stop: int) -> list[tuple[Data, int]]:
    found: list[tuple[Data, int]] = []
    for link, begin, end in zip(chain.links, (0, *chain.ends), chain.ends, strict=False):
        first, last = max(start, begin), min(stop, end)
        if first < last:
            found.append((_cut(link, first - begin, last - first, end - begin), last - first))
    return found


def _chain(links: Sequence[tuple[Data, int]]) -> Data:
    """Return `links`, each with its size, one after the other: as one run where they are one."""
    flat: list[tuple[Data, int]] = []
    for data, nbytes in links:
        for link, size in _opened(data, nbytes):
            last = flat[-1] if flat else None
            if last and (one := _adjacent(*last, link, size)):
                flat[-1] = one, last[1] + size
            elif size:
                flat.append((link, size))
    if len(flat) <= 1:
        return flat[0][0] if flat else links[0][0]
    return Chain(tuple(link for link, _ in flat), tuple(accumulate(size for _, size in flat)))


def _opened(data: Data, nbytes: int) -> list[tuple[Data, int]]:
    """Return what a chain is made of; anything else as it is."""
    return _links_between(data, 0, nbytes) if isinstance(data, Chain) else [(data, nbytes)]


def _adjacent(first: Data, first_size: int, second: Data, second_size: int) -> Data | None:
    """Return two runs as one where the second begins, in the same place, where the first ends."""
    match first, second:
        case FileRun(whole=False), FileRun(whole=False) if first.file is second.file:
            if first.offset + first_size == second.offset:
                return FileRun(first.file, first.offset, first_size + second_size)
        case Cut(), Cut() if first.source is second.source:
            if first.offset + first_size == second.offset:
                return _cut(first.source, first.offset, first_size + second_size, first.total)
    return None
