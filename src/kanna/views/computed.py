"""Tensors of fp32 numbers that are made when they are read: sums, and whatever a function makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kanna.dtypes import FP32, DType
from kanna.kernel import weighted_sum
from kanna.model import Extent, TensorInfo
from kanna.views.lost import tell

# Fills a buffer with a run of numbers: its start, its length, the buffer.
Run = Callable[[int, int, memoryview], None]


@dataclass(frozen=True, slots=True)
class Computed:
    """Tensor data of `numel` numbers of `dtype` that `run` makes, a run of whole units at a time.

    Only the end of the tensor may end a run within a unit of `unit` numbers. With `whole` all are
    made in one go. While it makes a run, `run` holds up to `copies` times its numbers in fp32
    beside the buffer that it fills; whoever plans memory counts on that. `inputs` are what it
    reads.
    """

    run: Run
    numel: int
    unit: int = 1
    whole: bool = False
    copies: int = 0
    dtype: DType = FP32
    inputs: tuple[TensorInfo, ...] = ()

    def extent(self) -> Extent | None:
        """Return None: the numbers stand in no file."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` with the bytes from `start`.

        Raises:
            FormatError: an input does not hold what its header says.
        """
        width = self.dtype.nbytes(1)
        step = width * self.unit
        end = start + len(out)
        first, last = start // step * self.unit, min(-(-end // step) * self.unit, self.numel)
        if self.whole:
            first, last = 0, self.numel
        if (width * first, width * last) == (start, end):
            self.run(first, last - first, out)
            return
        buffer = memoryview(bytearray(width * (last - first)))
        self.run(first, last - first, buffer)
        out[:] = buffer[start - width * first : end - width * first]


def computed(
    name: str, shape: tuple[int, ...], run: Run, *, numel: int, unit: int = 1, whole: bool = False,
    copies: int = 0, dtype: DType = FP32, inputs: Sequence[TensorInfo] = (),
) -> TensorInfo:  # fmt: skip
    """Return the tensor `name` of `shape` whose numbers `run` makes; see `Computed`."""
    data = Computed(run, numel, unit, whole, copies, dtype, tuple(inputs))
    return TensorInfo(name, dtype, shape, data)


def summed(
    tensors: Sequence[TensorInfo], weights: Sequence[float], dtype: DType = FP32, *,
    double: bool = False,
) -> TensorInfo:  # fmt: skip
    """Return the weighted sum of `tensors` of one size in `dtype`, under the first one's name.

    It is summed in fp32, or in fp64 with `double`, and rounded once, element by element; the shape
    is the first one's. Who reads it hears of what is lost (`kanna.views.lost`).

    Raises:
        ValueError: there are none, or not as many as weights, or their sizes differ.
    """
    first = tensors[0]
    if len(tensors) != len(weights) or any(one.numel != first.numel for one in tensors):
        raise ValueError([(one.name, one.shape) for one in tensors])

    def run(start: int, count: int, out: memoryview) -> None:
        data = [run_of(tensor, start, count) for tensor in tensors]
        dtypes = [one.dtype for one in tensors]
        tell(weighted_sum(out, dtype, data, dtypes, weights, count, double=double))

    return computed(
        first.name, first.shape, run, numel=first.numel, dtype=dtype,
        whole=any(one.data.whole for one in tensors), inputs=tensors,
        copies=len(tensors) + max(map(copies_of, tensors)),
    )  # fmt: skip


def run_of(tensor: TensorInfo, first: int, count: int) -> bytearray:
    """Return the bytes of `count` numbers of `tensor` from the number `first` on.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    start, size = tensor.dtype.nbytes(first), tensor.dtype.nbytes(count)
    if tensor.data.whole and (start, size) != (0, tensor.nbytes):
        return bytearray(tensor.read()[start : start + size])
    data = bytearray(size)
    tensor.data.read_into(start, memoryview(data))
    return data


def fp32_of(tensor: TensorInfo, first: int, count: int) -> bytearray:
    """Return those numbers as fp32, which the kernel must be able to make of them.

    Raises:
        ValueError: the dtype has no arithmetic.
        FormatError: the file does not hold what its header says.
    """
    data = run_of(tensor, first, count)
    if tensor.dtype is FP32:
        return data
    out = bytearray(4 * count)
    weighted_sum(out, FP32, [data], [tensor.dtype], (1.0,), count)
    return out


def copies_of(tensor: TensorInfo) -> int:
    """Return how many numbers in fp32 are held to make one of `tensor`: 0 for what lies in a file.

    Of views of views, what the outermost says.
    """
    return tensor.data.copies if isinstance(tensor.data, Computed) else 0
