"""Cuts a plan into work items of a few megabytes, in output order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kanna.disk import InputFile
from kanna.model import Extent
from kanna.plan import Copy, Output, WeightedSum

# Sizes that stay in the processor's cache; 16 MB chunks take twice as long.
IN_CHUNK: Final = 4 << 20
OUT_CHUNK: Final = 2 << 20
MOVE_CHUNK: Final = 16 << 20
MIN_MOVE: Final = 1 << 20
_STEP: Final = 64  # elements: slices start where vectors do


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one output's bytes: which output, from which byte on, how many."""

    index: int
    output: Output
    start: int
    nbytes: int

    @property
    def first(self) -> int:
        """Its first element."""
        return self.start * 8 // self.output.dtype.bits

    @property
    def count(self) -> int:
        """How many elements it has."""
        return self.nbytes * 8 // self.output.dtype.bits

    @property
    def input_bytes(self) -> int:
        """The bytes it reads, from all its inputs together."""
        return sum(tensor.dtype.nbytes(self.count) for tensor in self.output.inputs)

    @property
    def scratch(self) -> int:
        """The bytes of input that must be in memory beside the output."""
        return self.input_bytes if isinstance(self.output.op, WeightedSum) else 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Pieces side by side in the output: one buffer, one write.

    `places` says where each piece starts in the buffer. What lies between them in the file belongs
    to the layout's blocks, which are written last.
    """

    offset: int
    nbytes: int
    pieces: tuple[Piece, ...]
    places: tuple[int, ...]

    @property
    def scratch(self) -> int:
        """The bytes of input that must be in memory beside the output."""
        return max(piece.scratch for piece in self.pieces)

    @property
    def oversized(self) -> int:
        """The bytes of the buffers it needs for itself; 0 if the common ones will do."""
        if self.nbytes <= OUT_CHUNK and self.scratch <= IN_CHUNK:
            return 0
        return self.nbytes + self.scratch

    @property
    def traffic(self) -> int:
        """The bytes that are read and written for it."""
        return sum(piece.nbytes + piece.input_bytes for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Move:
    """A run of unchanged bytes that the system copies from file to file."""

    offset: int
    nbytes: int
    file: InputFile
    start: int

    @property
    def traffic(self) -> int:
        """The bytes that are read and written for it."""
        return 2 * self.nbytes


Placed = tuple[int, Output, int]  # index, output, offset in the file


def divide(
    outputs: Sequence[Output], offsets: Sequence[int], *, moving: bool
) -> list[Batch | Move]:
    """Return the work items, in output order; unchanged runs become moves if `moving`."""
    placed = [
        (index, output, offset)
        for index, (output, offset) in enumerate(zip(outputs, offsets, strict=True))
        if output.nbytes
    ]
    moves: list[Move] = []
    rest: list[Placed] = []
    for run in _runs(placed) if moving else ():
        size = sum(output.nbytes for _, output, _ in run)
        if (extent := _extent(run[0][1])) and size >= MIN_MOVE:
            moves += _chunks(extent, size, run[0][2])
        else:
            rest += run
    batches = _batches(rest if moving else placed)
    return sorted([*batches, *moves], key=lambda item: item.offset)


def _extent(output: Output) -> Extent | None:
    return output.inputs[0].data.extent() if isinstance(output.op, Copy) else None


def _runs(placed: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Group outputs that lie side by side both in one input and in the output."""
    run: list[Placed] = []
    expected: tuple[InputFile, int, int] | None = None
    for item in placed:
        _, output, offset = item
        extent = _extent(output)
        if run and (extent is None or (extent.file, extent.offset, offset) != expected):
            yield run
            run = []
        run.append(item)
        if extent is not None:
            end = extent.offset + extent.nbytes
            expected = extent.file, end, offset + extent.nbytes
    if run:
        yield run


def _chunks(extent: Extent, size: int, offset: int) -> Iterator[Move]:
    for done in range(0, size, MOVE_CHUNK):
        nbytes = min(MOVE_CHUNK, size - done)
        yield Move(offset + done, nbytes, extent.file, extent.offset + done)


def _batches(placed: Iterable[Placed]) -> Iterator[Batch]:
    pieces: list[Piece] = []
    places: list[int] = []
    read = 0
    for index, output, offset in placed:
        for piece in _slices(index, output):
            place = offset + piece.start
            read += piece.input_bytes
            if pieces and (place + piece.nbytes - places[0] > OUT_CHUNK or read > IN_CHUNK):
                yield _batch(pieces, places)
                pieces, places, read = [], [], piece.input_bytes
            pieces.append(piece)
            places.append(place)
    if pieces:
        yield _batch(pieces, places)


def _batch(pieces: Sequence[Piece], places: Sequence[int]) -> Batch:
    start = places[0]
    nbytes = places[-1] + pieces[-1].nbytes - start
    return Batch(start, nbytes, tuple(pieces), tuple(place - start for place in places))


def _slices(index: int, output: Output) -> Iterator[Piece]:
    step = output.nbytes if any(t.data.whole for t in output.inputs) else _step(output)
    for start in range(0, output.nbytes, step):
        yield Piece(index, output, start, min(step, output.nbytes - start))


def _step(output: Output) -> int:
    """Return how many bytes of `output` to make at a time."""
    if not isinstance(output.op, WeightedSum):
        return OUT_CHUNK
    width = output.dtype.nbytes(1)
    read = sum(tensor.dtype.nbytes(1) for tensor in output.inputs)
    count = min(OUT_CHUNK // width, IN_CHUNK // read)
    return max(count // _STEP, 1) * _STEP * width
