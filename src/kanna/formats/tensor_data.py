"""Where the bytes of a checkpoint's tensors are, beyond the plain run of a file.

Every class is a `kanna.model.Data`: what is read out of it is contiguous, row-major and
little-endian. Nothing is read before it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, Literal, Protocol

from kanna.errors import FormatError
from kanna.model import Data, Extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kanna.disk import InputFile

_CHUNK: Final = 256 << 10
_FORMATS: Final[dict[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Record(Protocol):
    """The bytes of one storage; where they begin is found, and checked, when first asked for."""

    @property
    def file(self) -> InputFile:
        """The file that holds them."""

    @property
    def nbytes(self) -> int:
        """How many there are, as stored uncompressed."""

    def start(self) -> int:
        """Return the offset of the first byte in the file.

        Raises:
            FormatError: the header in front of the bytes does not fit what was declared.
        """

    def part(self, offset: int, nbytes: int) -> Data:
        """Return `nbytes` of them from `offset`."""


@dataclass(frozen=True, slots=True)
class RecordRun:
    """A run of bytes inside a record that is stored as it is."""

    record: Record
    offset: int
    nbytes: int
    whole: bool = False

    def extent(self) -> Extent | None:
        """Return the run of file bytes."""
        return Extent(self.record.file, self.record.start() + self.offset, self.nbytes)

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the run."""
        self.record.file.read_into(self.record.start() + self.offset + start, out)


@dataclass(frozen=True, slots=True)
class Inflated:
    """A run of bytes inside a record that a re-zip has compressed (deflate, without a header)."""

    record: Record
    packed: int
    offset: int
    nbytes: int
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are nowhere in the file as they are."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the run, inflating all that lies before it.

        Raises:
            FormatError: the compressed bytes are damaged or end early.
        """
        skip, done = self.offset + start, 0
        for block in self._blocks():
            piece = block[skip : skip + len(out) - done]
            out[done : done + len(piece)] = piece
            skip, done = max(skip - len(block), 0), done + len(piece)
            if done == len(out):
                return
        raise FormatError("checkpoint.deflate_broken", path=self.record.file.path)

    def _blocks(self) -> Iterator[bytes]:
        import zlib  # noqa: PLC0415  (torch never compresses: few files need it)

        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        offset = self.record.start()
        end = offset + self.packed
        try:
            while offset < end and not machine.eof:
                packed = self.record.file.read(offset, min(_CHUNK, end - offset))
                offset += len(packed)
                while packed and not machine.eof:
                    yield machine.decompress(packed, _CHUNK)
                    packed = machine.unconsumed_tail
            yield machine.flush()
        except zlib.error:
            raise FormatError("checkpoint.deflate_broken", path=self.record.file.path) from None


@dataclass(frozen=True, slots=True)
class Strided:
    """A tensor whose elements lie scattered in a storage: transposed, sliced or expanded.

    `source` spans from its first to its last element; `strides` are in elements of `width` bytes.
    """

    source: Data
    span: int
    width: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are not in order anywhere."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Gather the elements and fill `out` from `start` bytes into the contiguous tensor."""
        scattered = memoryview(bytearray(self.span))
        self.source.read_into(0, scattered)
        gathered = memoryview(bytearray(self._nbytes()))
        _gather(scattered, gathered, *self._axes())
        out[:] = gathered[start : start + len(out)]

    def _nbytes(self) -> int:
        total = self.width
        for size in self.shape:
            total *= size
        return total

    def _axes(self) -> tuple[int, list[tuple[int, int, int]]]:
        """Return the element width to copy by, and per axis its size, stride from, stride to."""
        axes, step = [], 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            axes.append((size, stride, step))
            step *= size
        if self.width <= 8:
            return self.width, axes
        # complex128: two doubles each
        doubled = [(size, stride * 2, step * 2) for size, stride, step in axes]
        return 8, [(2, 1, 1), *doubled]


def _gather(
    scattered: memoryview, gathered: memoryview, width: int, axes: list[tuple[int, int, int]]
) -> None:
    """Copy along the longest axis in C, once for every position on the other axes."""
    source, target = scattered.cast(_FORMATS[width]), gathered.cast(_FORMATS[width])
    size, stride, step = longest = max(axes)
    others = list(axes)
    others.remove(longest)
    for position in product(*(range(axis[0]) for axis in others)):
        begin = sum(i * axis[1] for i, axis in zip(position, others, strict=True))
        to = sum(i * axis[2] for i, axis in zip(position, others, strict=True))
        row = target[to : to + (size - 1) * step + 1 : step]
        if stride:
            row[:] = source[begin : begin + (size - 1) * stride + 1 : stride]
        else:
            row[:] = memoryview(bytes(source[begin : begin + 1]) * size).cast(_FORMATS[width])


@dataclass(frozen=True, slots=True)
class Swapped:
    """A tensor stored big-endian; `width` is that of one number (half a complex one)."""

    source: Data
    width: int
    nbytes: int
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are in the other order."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Read all, swap, and fill `out` from `start`."""
        data = bytearray(self.nbytes)
        self.source.read_into(0, memoryview(data))
        swapped = bytearray(self.nbytes)
        for byte in range(self.width):
            swapped[byte :: self.width] = data[self.width - 1 - byte :: self.width]
        out[:] = memoryview(swapped)[start : start + len(out)]
