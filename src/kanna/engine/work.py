"""Cuts a plan into work items of a few megabytes, in output order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, lcm
from typing import Final

from kanna.disk import InputFile
from kanna.dtypes import DType
from kanna.formats.ggml_types import BlockType
from kanna.model import Extent
from kanna.plan import Copy, Encoded, FourBit, Output, WeightedSum
from kanna.views.computed import copies_of

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
        """The first element of its inputs that it is made of."""
        elements, nbytes = grain(self.output)
        return self.start // nbytes * elements

    @property
    def count(self) -> int:
        """How many elements of its inputs it is made of."""
        elements, nbytes = grain(self.output)
        left = self.output.inputs[0].numel - self.first
        return min(-(-self.nbytes // nbytes) * elements, left)

    @property
    def input_bytes(self) -> int:
        """The bytes it reads, from all its inputs together."""
        match self.output.op:
            case Copy():
                return self.nbytes
            case Encoded() as op if not op.reads:
                return 0
        return sum(tensor.dtype.nbytes(self.count) for tensor in self.output.inputs)

    @property
    def scratch(self) -> int:
        """The bytes that must be in memory beside the output."""
        match self.output.op:
            case WeightedSum():
                return self.input_bytes
            case Encoded():
                return chunk_bytes(self.output)
        return 0

    @property
    def working(self) -> int:
        """The bytes that its inputs take while they are computed."""
        return _working(self.output, self.count) if self.output.inputs else 0


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
        """The bytes that must be in memory beside the output."""
        return max(piece.scratch for piece in self.pieces)

    @property
    def working(self) -> int:
        """The bytes that its inputs take while they are computed."""
        return max(piece.working for piece in self.pieces)

    @property
    def oversized(self) -> int:
        """The bytes that it needs for itself; 0 if the common buffers will do."""
        if self.nbytes <= OUT_CHUNK and self.scratch + self.working <= IN_CHUNK:
            return 0
        return self.nbytes + self.scratch + self.working

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
    if not moving:
        return list(_batches(placed))
    items: list[Batch | Move] = []
    rest: list[Placed] = []
    for run in _runs(placed):
        size = sum(output.nbytes for _, output, _ in run)
        if (extent := _extent(run[0][1])) and size >= MIN_MOVE:
            # A batch is one write: over a move, it would undo what another thread has moved.
            items += [*_batches(rest), *_chunks(extent, size, run[0][2])]
            rest = []
        else:
            rest += run
    return [*items, *_batches(rest)]


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
    step = _step(output)
    for start in range(0, output.nbytes, step):
        yield Piece(index, output, start, min(step, output.nbytes - start))


def _step(output: Output) -> int:
    """Return how many bytes of `output` to make at a time."""
    computed = isinstance(output.op, WeightedSum) or (
        isinstance(output.op, Encoded) and output.op.reads
    )
    if computed:
        elements, nbytes = grain(output)
        return ceil(chunk_elements(output) / elements) * nbytes
    if isinstance(output.op, Copy) and output.inputs[0].data.whole:
        return output.nbytes
    if isinstance(output.op, Copy) and copies_of(output.inputs[0]):
        return output.dtype.nbytes(chunk_elements(output))
    return OUT_CHUNK


def grain(output: Output) -> tuple[int, int]:
    """Return the least number of elements that become whole bytes of `output`, and those bytes."""
    if isinstance(output.op, Encoded) and isinstance(output.op.encoding, FourBit):
        return output.op.encoding.block, output.op.encoding.block // 2
    return _block(output.dtype)


def chunk_elements(output: Output) -> int:
    """Return how many elements of its inputs are read at a time, in whole blocks."""
    if any(tensor.data.whole for tensor in output.inputs):
        return output.inputs[0].numel
    elements, nbytes = grain(output)
    unit = lcm(_STEP, elements, *(_block(tensor.dtype)[0] for tensor in output.inputs))
    made = unit // elements * nbytes
    return max(min(OUT_CHUNK // made, IN_CHUNK // _beside(output, unit)), 1) * unit


def chunk_bytes(output: Output) -> int:
    """Return the bytes that must be in memory to measure such a chunk of an `Encoded` output."""
    return _beside(output, min(chunk_elements(output), output.inputs[0].numel))


def _beside(output: Output, count: int) -> int:
    read = sum(tensor.dtype.nbytes(count) for tensor in output.inputs)
    measured = isinstance(output.op, Encoded) and isinstance(output.op.encoding, FourBit)
    return read + (-(-count // 2) if measured else 0) + _working(output, count)


def _working(output: Output, count: int) -> int:
    """Return the bytes held to compute so many numbers of each input; one is read at a time."""
    return 4 * count * max(map(copies_of, output.inputs))


def _block(dtype: DType) -> tuple[int, int]:
    if isinstance(dtype, BlockType):
        return dtype.elements, dtype.block_bytes
    return 1, dtype.nbytes(1)
