"""Runs of bytes cut out of data, and data one after the other, said as simply as they can be."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from kanna.model import Data, Extent, FileRun


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


def cut(data: Data, offset: int, nbytes: int, total: int) -> Data:
    """Return `nbytes` bytes of `data` from `offset` on, as simply as they can be said."""
    if nbytes == total:
        return data
    if isinstance(data, FileRun) and not data.whole:
        return FileRun(data.file, data.offset + offset, nbytes)
    if isinstance(data, Cut):
        return cut(data.source, data.offset + offset, nbytes, data.total)
    if isinstance(data, Chain):
        return chain(_links_between(data, offset, offset + nbytes))
    return Cut(data, offset, nbytes, total)


def _links_between(chain: Chain, start: int, stop: int) -> list[tuple[Data, int]]:
    found: list[tuple[Data, int]] = []
    for link, begin, end in zip(chain.links, (0, *chain.ends), chain.ends, strict=False):
        first, last = max(start, begin), min(stop, end)
        if first < last:
            found.append((cut(link, first - begin, last - first, end - begin), last - first))
    return found


def chain(links: Sequence[tuple[Data, int]]) -> Data:
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
        return flat[0][0] if flat else Chain((), ())
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
                return cut(first.source, first.offset, first_size + second_size, first.total)
    return None
