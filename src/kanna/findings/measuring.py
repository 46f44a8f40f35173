"""Reading every number of a file once, in a few megabytes, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from zlib import crc32

from kanna.dtypes import BF16, FP16, DType
from kanna.findings.facts import Measure
from kanna.kernel import Counts, weighted_sum
from kanna.model import ModelFile, TensorInfo

_CHUNK: Final = 1 << 20
_THREADS: Final = 4
_GLIMPSE: Final = 64  # bytes that tell almost every tensor from a constant one

Tick = Callable[[int], None]


def measure(model: ModelFile, tick: Tick | None = None) -> dict[str, Measure]:
    """Return what is in every tensor of floats; `tick` is told of bytes done, in this thread.

    Raises:
        FormatError: the file does not hold what its header says.
        MissingExtra: there is neither the C extension nor torch.
    """
    for file in model.files:
        file.will_stream()
    tensors = [tensor for tensor in model.values() if tensor.dtype.is_float and tensor.numel]
    measures = {}
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        try:
            for tensor, result in zip(tensors, pool.map(_measured, tensors), strict=True):
                measures[tensor.name] = result
                if tick is not None:
                    tick(tensor.nbytes)
        finally:  # stopped by the user or by a broken tensor: what is not begun is not read
            pool.shutdown(wait=False, cancel_futures=True)
    return measures


def measured_bytes(model: ModelFile) -> int:
    """Return how many bytes `measure` will read."""
    return sum(tensor.nbytes for tensor in model.values() if tensor.dtype.is_float)


def _measured(tensor: TensorInfo) -> Measure:
    width = tensor.dtype.bits // 8
    target = _target(tensor.dtype)
    out = memoryview(bytearray(target.nbytes(min(tensor.nbytes, _largest(tensor)) // width)))
    counts, checksum, first, alike = Counts(), 0, b"", True
    for piece in tensor.pieces(_CHUNK):
        count = len(piece) // width
        counts += weighted_sum(
            out[: target.nbytes(count)], target, [piece], [tensor.dtype], (1.0,), count
        )
        checksum = crc32(piece, checksum)
        first = first or bytes(piece[:width])
        alike = alike and _repeats(piece, first)
    return Measure(
        nan=counts.nan_out, inf=counts.inf_in, beyond=counts.overflowed, alike=alike,
        zero=alike and not any(first), checksum=checksum,
    )  # fmt: skip


def _target(dtype: DType) -> DType:
    """Return what to convert to for counting: fp16, where that is not what the numbers are in."""
    return BF16 if dtype is FP16 else FP16


def _largest(tensor: TensorInfo) -> int:
    return tensor.nbytes if tensor.data.whole else _CHUNK


def _repeats(piece: memoryview, first: bytes) -> bool:
    """Whether a piece is one element over and over."""
    glimpse = bytes(piece[:_GLIMPSE])
    if glimpse != first * (len(glimpse) // len(first)):
        return False
    return bytes(piece) == first * (len(piece) // len(first))
