"""Streams work items: threads read, compute and write; one more hashes behind them, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from heapq import merge
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import sleep
from typing import Final

from kanna.disk.writing import OutputFile
from kanna.engine.checksums import Checksums
from kanna.engine.compute import fill
from kanna.engine.digest import Digest
from kanna.engine.measure import Measures, memory_held
from kanna.engine.work import IN_CHUNK, OUT_CHUNK, Batch, Move
from kanna.kernel import Comparison, Counts

_TICK: Final = 0.05  # seconds between two calls of `tick`
_POLL: Final = 0.001
_WAITING, _RUNNING, _ENDED = "waiting", "running", "ended"


def buffer_count(threads: int, *, hashing: bool) -> int:
    """Return how many output buffers there are: one per thread, twice that if a hasher follows."""
    return threads * 2 if hashing else threads


def memory_needed(items: Sequence[Batch | Move], threads: int, *, hashing: bool) -> int:
    """Return the bytes of all buffers at the worst moment."""
    batches = [item for item in items if isinstance(item, Batch)]
    scratch = threads * IN_CHUNK if any(batch.scratch for batch in batches) else 0
    working = max((batch.working for batch in batches if not batch.oversized), default=0)
    buffers = buffer_count(threads, hashing=hashing) * OUT_CHUNK if batches else 0
    largest = max((batch.oversized for batch in batches), default=0)
    return scratch + threads * working + buffers + largest + memory_held(batches, threads)


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """One output of a run: its items in output order, where they go, and what is found on the way.

    `counts` and `compared` are by output index; the latter also by place.
    """

    items: Sequence[Batch | Move]
    file: OutputFile
    digest: Digest | None = None
    checksums: Checksums | None = None
    counts: list[tuple[int, Counts]] = field(default_factory=list)
    compared: list[tuple[int, int, Comparison]] = field(default_factory=list)


_Turn = tuple[int, Lane, Batch | Move]


def _in_turn(lanes: Sequence[Lane]) -> Iterator[_Turn]:
    """Yield the items of all lanes with their turns, abreast: who reads the same reads it then."""
    turns = ([(turn, lane, item) for turn, item in enumerate(lane.items)] for lane in lanes)
    return merge(*turns, key=lambda turn: turn[2].offset)


class Stream:
    """The running job.

    An item and its buffer are handed out together, in the order of the outputs. So the first
    unfinished item always has its buffer, gets finished, is hashed, and frees a buffer for a later
    one: whatever the timing, nothing can wait for itself.
    """

    def __init__(self, lanes: Sequence[Lane], *, threads: int) -> None:
        """Prepare to make the items of all `lanes`."""
        self._measures = Measures(item for lane in lanes for item in lane.items)
        self._queue = _in_turn(lanes)
        self._turn = Lock()
        self._digests = [lane.digest for lane in lanes if lane.digest]
        self._buffers: SimpleQueue[bytearray] = SimpleQueue()
        self._buffer_count = buffer_count(threads, hashing=bool(self._digests))
        for _ in range(self._buffer_count):
            self._buffers.put(bytearray())
        self._done = [0] * threads
        self._tasks: list[Callable[[], None]] = [partial(self._work, n) for n in range(threads)]
        for lane in lanes:
            if lane.digest:
                self._tasks.append(partial(lane.digest.follow, len(lane.items)))
        # Of our own, because a Thread whose join() was interrupted may say that it ended.
        self._states = [_WAITING] * len(self._tasks)
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._failures: list[BaseException] = []
        self._stopped = False

    def run(self, tick: Callable[[int], None]) -> None:
        """Do everything; call `tick` with the bytes moved so far, many times a second.

        What `tick` raises stops the work and is passed on; so is the first error of a thread. When
        this returns or raises, no thread touches the file any more.
        """
        try:
            for index, task in enumerate(self._tasks):
                Thread(target=self._guard, args=(index, task), daemon=True).start()
            while any(state != _ENDED for state in self._states):
                with suppress(Empty):
                    self._wake.get(timeout=_TICK)
                tick(sum(self._done))
        finally:
            self._settle()
        if self._failures:
            raise self._failures[0]

    def _settle(self) -> None:
        """Stop all threads and wait for them, however often somebody presses Ctrl-C."""
        settled = False
        while not settled:
            with suppress(KeyboardInterrupt):
                self._stop()
                while any(state == _RUNNING for state in self._states):
                    sleep(_POLL)
                settled = True

    def _guard(self, index: int, task: Callable[[], None]) -> None:
        self._states[index] = _RUNNING
        try:
            if not self._stopped:  # asked only now: whoever stops us sees us run, or we see it
                task()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failures.append(error)
            self._stop()
        finally:
            self._states[index] = _ENDED
            self._wake.put(None)

    def _stop(self) -> None:
        self._stopped = True
        self._measures.stop()
        for digest in self._digests:
            digest.stop()
        for _ in range(self._buffer_count):
            self._buffers.put(bytearray())  # lets a worker that waits for one go on, and end

    def _work(self, worker: int) -> None:
        scratch = bytearray()
        while True:
            with self._turn:
                following = next(self._queue, None)
                if following is None:
                    return
                turn, lane, item = following
                lease = self._take(item)
                if self._stopped:
                    return
            if isinstance(item, Move):
                lane.file.move(item.file, item.start, item.nbytes, item.offset)
            else:
                if len(scratch) < item.scratch:
                    scratch = bytearray(max(item.scratch, IN_CHUNK))
                self._make(turn, lane, item, lease, scratch)
                if len(scratch) > IN_CHUNK:
                    scratch = bytearray()
            self._done[worker] += item.traffic

    def _take(self, item: Batch | Move) -> list[bytearray]:
        """Wait for a buffer; an oversized item waits for all of them, to be alone in memory."""
        if isinstance(item, Move):
            return []
        wanted = self._buffer_count if item.oversized else 1
        return [self._buffers.get() for _ in range(wanted)]

    def _make(
        self, turn: int, lane: Lane, batch: Batch, lease: list[bytearray], scratch: bytearray
    ) -> None:
        buffer = lease[0]
        if batch.oversized:
            buffer = bytearray(batch.nbytes)
        elif not buffer:
            buffer = lease[0] = bytearray(OUT_CHUNK)
        out = memoryview(buffer)[: batch.nbytes]
        for piece, place in zip(batch.pieces, batch.places, strict=True):
            data = out[place : place + piece.nbytes]
            counts, comparison = fill(piece, data, scratch, self._measures)
            lane.counts.append((piece.index, counts))
            if comparison is not None:
                lane.compared.append((piece.index, piece.start, comparison))
            if lane.checksums:
                lane.checksums.add(piece.index, piece.start, data)
        lane.file.write(out, batch.offset)
        if lane.digest:
            lane.digest.put(turn, batch, out, lambda: self._give(lease))
        else:
            self._give(lease)

    def _give(self, lease: list[bytearray]) -> None:
        for buffer in lease:
            self._buffers.put(buffer)
