"""How tensors differ, and from which others the difference is made: one pass over all the files.

Sums are in fp64, over chunks that do not depend on the number of threads, added up in the order of
the tensors: every run gives the same bits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from kanna.engine.difference import Difference, Match
from kanna.engine.difference_sums import CHUNK, Room, difference_of
from kanna.errors import Interrupted
from kanna.model import TensorInfo

__all__ = ["Difference", "Match", "differences"]

_TICK: Final = 0.05  # seconds


def differences(
    matches: Sequence[Match],
    *,
    threads: int,
    tick: Callable[[int], None] = lambda _: None,
) -> list[Difference]:
    """Return the difference of each of `matches`, every tensor read once.

    `tick` is called with the bytes read so far, many times a second, in the caller's thread; what
    it raises stops the work.

    Raises:
        FormatError: a file does not hold what its header says.
        MissingExtra: there is neither the C extension nor torch.
    """
    work = _Pass(matches)
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work.run) for _ in range(threads)]
        try:
            while not _finished(futures):
                tick(work.done)
        finally:
            work.stopped = True
    tick(work.done)
    return work.results()


def _finished(futures: Sequence[Future[None]]) -> bool:
    """Wait a moment; pass on what went wrong in a thread."""
    done, waiting = wait(futures, timeout=_TICK)
    for future in done:
        future.result()
    return not waiting


class _Pass:
    """The pass over the files: items that threads take in turn, and what comes of them."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self.done = 0
        self.stopped = False
        self._matches = matches
        self._items = _items(matches)
        self._turn = threading.Lock()
        self._alone = threading.Lock()
        self._totals = [Difference()] * len(matches)
        self._next = [0] * len(matches)
        self._early: dict[tuple[int, int], Difference] = {}

    def run(self) -> None:
        """Work until there is no more to do."""
        room = Room()
        while not self.stopped:
            with self._turn:
                item = next(self._items, None)
            if item is None:
                return
            index, start, count = item
            for place, difference in self._measured(self._matches[index], start, count, room):
                with self._turn:
                    self._add(index, place, difference)
            with self._turn:
                self.done += self._matches[index].nbytes * count // self._matches[index].first.numel

    def _measured(
        self, match: Match, start: int, count: int, room: Room
    ) -> Iterator[tuple[int, Difference]]:
        if count <= CHUNK:
            given = [
                None if one is None else room.read(n, one, start, count)
                for n, one in enumerate(_all(match))
            ]
            yield start, difference_of(match, given, count, room)
            return
        with self._alone:  # large, and to be had only in one go: one at a time
            whole = [None if one is None else memoryview(one.read()) for one in _all(match)]
            for place in range(0, count, CHUNK):
                size = min(CHUNK, count - place)
                if self.stopped:
                    raise Interrupted("engine.interrupted")
                yield place, difference_of(match, _cut(match, whole, place, size), size, room)

    def _add(self, index: int, place: int, difference: Difference) -> None:
        """Add what was found at `place`; what comes before its turn waits, so that sums repeat."""
        self._early[index, place] = difference
        while (piece := self._early.pop((index, self._next[index]), None)) is not None:
            self._totals[index] += piece
            self._next[index] += piece.numbers

    def results(self) -> list[Difference]:
        """Return what was found, in the order of the matches."""
        return self._totals


def _items(matches: Sequence[Match]) -> Iterator[tuple[int, int, int]]:
    for index, match in enumerate(matches):
        count = match.first.numel
        alone = any(one is not None and _is_whole(one) for one in _all(match))
        step = count if alone else CHUNK
        for start in range(0, count, step or 1):
            yield index, start, min(step, count - start)


def _is_whole(tensor: TensorInfo) -> bool:
    """Whether a chunk of `tensor` cannot be read by itself: it is compressed, or of odd bits."""
    return tensor.data.whole or tensor.dtype.nbytes(CHUNK) * 8 != CHUNK * tensor.dtype.bits


def _all(match: Match) -> tuple[TensorInfo | None, ...]:
    return match.first, match.second, *match.others


def _cut(
    match: Match, whole: Sequence[memoryview | None], start: int, count: int
) -> list[bytearray | None]:
    cut: list[bytearray | None] = []
    for tensor, data in zip(_all(match), whole, strict=True):
        if tensor is None or data is None:
            cut.append(None)
        else:
            first, last = tensor.dtype.nbytes(start), tensor.dtype.nbytes(start + count)
            cut.append(bytearray(data[first:last]))
    return cut
