"""What an encoding must know of a whole tensor: measured once, in chunks, by whoever needs it.

A worker that needs a measure takes the chunks that nobody has taken, and then waits for those that
others are at. Whoever has a chunk only computes, so nothing can wait for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Lock
from typing import TYPE_CHECKING

from kanna.engine.work import Batch, Move, chunk_elements
from kanna.errors import Interrupted
from kanna.plan import Encoded, Encoding, FourBit, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = tuple[Encoding, int]


@dataclass(frozen=True, slots=True)
class Nested:
    """The blocks' largest numbers in 8 bits: as stored, and as a reader gets them back (fp32)."""

    codes: bytearray
    largest: bytearray
    mean: float
    decoded: bytearray


class Measure:
    """The largest number of a tensor, or the largest of each block, in the making.

    `largest` is that of all chunks so far; `absmax` holds the blocks' as fp32.
    """

    def __init__(self, output: Output) -> None:
        """Prepare to measure the input of `output`; nothing is read yet."""
        self.tensor = output.inputs[0]
        self.step = chunk_elements(output)
        self.largest = 0.0
        self.absmax = bytearray(_absmax_bytes(output))
        self.lock = Lock()
        self.nested: Nested | None = None
        self._open = dict.fromkeys(range(0, self.tensor.numel, self.step))
        self._left = len(self._open)
        self._error: BaseException | None = None
        self._changed = Condition()

    def read(self, start: int, count: int, scratch: memoryview) -> memoryview:
        """Read so many elements of the tensor into the head of `scratch`, and return that.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        dtype = self.tensor.dtype
        data = scratch[: dtype.nbytes(count)]
        self.tensor.data.read_into(dtype.nbytes(start), data)
        return data

    def complete(self, make: Callable[[int, int], None]) -> None:
        """Return once every chunk is measured; `make` measures one, by its start and length.

        Raises:
            KannaError: whatever a chunk failed with, here or in another thread.
        """
        while (start := self._any()) is not None:
            with self._taken():
                make(start, min(self.step, self.tensor.numel - start))
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or not self._left)
            if self._error is not None:
                raise self._error

    @contextmanager
    def chunk(self, start: int) -> Iterator[bool]:
        """Say whether the caller is to measure the chunk at `start`, which it makes on its way."""
        with self._changed:
            mine = self._open.pop(start, start) is None
        if not mine:
            yield False
            return
        with self._taken():
            yield True

    def add(self, largest: float) -> None:
        """Take in the largest number of a chunk."""
        with self._changed:
            self.largest = max(self.largest, largest)

    def fail(self, error: BaseException) -> None:
        """Let nobody begin another chunk; whoever waits, and whoever comes, fails with `error`."""
        with self._changed:
            self._error = self._error or error
            self._open.clear()
            self._changed.notify_all()

    def _any(self) -> int | None:
        with self._changed:
            start = next(iter(self._open), None)
            if start is not None:
                del self._open[start]
            return start

    @contextmanager
    def _taken(self) -> Iterator[None]:
        """Count a chunk as measured; whoever waits for one that failed fails with it."""
        try:
            yield
        except BaseException as error:
            self.fail(error)
            raise
        with self._changed:
            self._left -= 1
            self._changed.notify_all()


class Measures:
    """The measures of a run: each is made when it is first asked for, and dropped in the end."""

    def __init__(self, items: Iterable[Batch | Move]) -> None:
        """Count who will ask."""
        batches = (item for item in items if isinstance(item, Batch))
        outputs = (piece.output for batch in batches for piece in batch.pieces)
        self._asking = Counter(_key(o) for o in outputs if isinstance(o.op, Encoded))
        self._measures: dict[Key, Measure] = {}
        self._lock = Lock()
        self._stopped = False

    @contextmanager
    def of(self, output: Output) -> Iterator[Measure]:
        """Hold the measure that `output` shares with the other pieces of the same tensor.

        Raises:
            Interrupted: the run was stopped.
        """
        key = _key(output)
        with self._lock:
            if self._stopped:
                raise Interrupted("engine.interrupted")
            measure = self._measures.get(key)
            if measure is None:
                measure = self._measures[key] = Measure(output)
        yield measure
        with self._lock:
            self._asking[key] -= 1
            if not self._asking[key]:
                del self._measures[key]

    def stop(self) -> None:
        """Let nobody measure on: a large tensor takes longer than people wait after Ctrl-C."""
        with self._lock:
            self._stopped = True
            for measure in self._measures.values():
                measure.fail(Interrupted("engine.interrupted"))


def memory_held(batches: Iterable[Batch], threads: int) -> int:
    """Return the bytes that measures hold at the worst moment: one each worker, and the next."""
    held = {
        _key(piece.output): store_bytes(piece.output)
        for batch in batches
        for piece in batch.pieces
        if isinstance(piece.output.op, Encoded)
    }
    return sum(sorted(held.values())[-threads - 1 :])


def store_bytes(output: Output) -> int:
    """Return the bytes that the measure of an output holds."""
    match output.op:
        case Encoded(FourBit() as encoding):
            once = _absmax_bytes(output)
            return 4 * once if encoding.nested else once  # what is made of them, and beside it
    return 0


def _absmax_bytes(output: Output) -> int:
    match output.op:
        case Encoded(FourBit() as encoding):
            return 4 * -(-output.inputs[0].numel // encoding.block)
    return 0


def _key(output: Output) -> Key:
    assert isinstance(output.op, Encoded)
    return output.op.encoding, id(output.inputs[0])
