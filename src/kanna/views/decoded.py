"""Quantised tensors as views that decode them: fp32 numbers, a run at a time, from stored ones.

Sources: ComfyUI QUANTIZATION.md (number times scale); bitsandbytes functional.py,
``dequantize_4bit``, ``dequantize_blockwise``, ``int8_vectorwise_dequant``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from kanna.dtypes import FP32
from kanna.kernel import compare, unpack4, unpack8, weighted_sum
from kanna.model import TensorInfo
from kanna.views import reshaped, rows, transposable
from kanna.views.computed import Computed, Run, run_of

NESTED_BLOCK: Final = 256  # numbers of bitsandbytes' nested statistics that share a largest one
_SLICE: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """Blocks' largest numbers in 8 bits: a table, their own blocks' largest, and their mean."""

    table: bytes
    largest: TensorInfo
    mean: float
    block: int = NESTED_BLOCK


def as_fp32(tensor: TensorInfo) -> TensorInfo:
    """Return `tensor`, whose dtype the kernel knows, in fp32."""

    def run(first: int, count: int, out: memoryview) -> None:
        weighted_sum(out, FP32, [run_of(tensor, first, count)], [tensor.dtype], (1.0,), count)

    return _view(tensor, run, (tensor,), unit=256)


def scaled(tensor: TensorInfo, scale: TensorInfo, factor: float = 1.0) -> TensorInfo:
    """Return `tensor` times `scale` times `factor`; of scales there is one, or one for each row.

    Raises:
        ValueError: there are more, or fewer; they are no floating point numbers; or those of
            `tensor` are in blocks, or none that the kernel knows.
    """
    length = max(tensor.numel // max(scale.numel, 1), 1)
    by_row = tensor.shape[:1] == (scale.numel,)
    known = scale.dtype.is_float and tensor.dtype.code is not None and transposable(tensor)
    if not known or not (scale.numel == 1 or by_row):
        raise ValueError(f"{tensor.shape} * {scale.dtype} {scale.shape}")
    scales = reshaped(scale, (scale.numel,))  # a run takes its own: there may be millions

    def run(first: int, count: int, out: memoryview) -> None:
        data = memoryview(run_of(tensor, first, count))
        width, done = tensor.dtype.nbytes(1), 0
        row, column = divmod(first, length)
        stop = row + -(-(column + count) // length)
        for number in rows(scales, row, stop).numbers() or ():
            size = min(length - column, count - done)
            part, into = data[width * done :][: width * size], out[4 * done :][: 4 * size]
            weighted_sum(into, FP32, [part], [tensor.dtype], (number * factor,), size)
            done, column = done + size, 0

    return _view(tensor, run, (tensor, scale))


def four_bit(
    packed: TensorInfo, absmax: TensorInfo, shape: tuple[int, ...], *, table: bytes, block: int,
    nested: Nested | None = None,
) -> TensorInfo:  # fmt: skip
    """Return the numbers of bitsandbytes' 4-bit codes, in their `shape`."""

    def run(first: int, count: int, out: memoryview) -> None:
        codes = run_of(packed, first // 2, -(-count // 2))
        largest = _absmax(absmax, nested, first // block, -(-count // block))
        unpack4(out, FP32, codes, largest, count, table=table, block=block)

    whole = TensorInfo(packed.name, FP32, shape, packed.data)
    return _view(whole, run, (packed, absmax), unit=block)


def _absmax(absmax: TensorInfo, nested: Nested | None, first: int, count: int) -> memoryview:
    """Return the largest numbers of a run of blocks, as fp32."""
    if nested is None:
        return memoryview(run_of(absmax, first, count))
    start = first // nested.block * nested.block
    size = first + count - start
    codes = run_of(absmax, start, size)
    largest = run_of(nested.largest, start // nested.block, -(-size // nested.block))
    out = bytearray(4 * size)
    unpack8(out, FP32, codes, largest, size, table=nested.table, block=nested.block)
    return memoryview(plus(out, nested.mean))[4 * (first - start) :]


def _view(
    tensor: TensorInfo, run: Run, inputs: tuple[TensorInfo, ...], unit: int = 1
) -> TensorInfo:
    data = Computed(run, tensor.numel, unit, tensor.data.whole, inputs=inputs)
    return TensorInfo(tensor.name, FP32, tensor.shape, data)


def mean_of(numbers: memoryview | bytearray) -> float:
    """Return the mean of fp32 numbers, rounded to fp32.

    It is summed in fp64, so that no order of adding matters; torch's own mean may be off by a unit
    in the last place, more or less, depending on its threads.
    """
    count = len(numbers) // 4
    ones = struct.pack("<f", 1.0) * min(count, _SLICE)
    total = 0.0
    for start in range(0, count, _SLICE):
        size = min(_SLICE, count - start)
        data = memoryview(numbers)[4 * start : 4 * (start + size)]
        total += compare(data, FP32, memoryview(ones)[: 4 * size], FP32, size).xy
    return float(struct.unpack("<f", struct.pack("<f", total / max(count, 1)))[0])


def plus(numbers: memoryview | bytearray, term: float) -> bytearray:
    """Return fp32 numbers with `term` added to each, in fp32."""
    return _shifted(numbers, term, 1.0)


def minus(numbers: memoryview | bytearray, term: float) -> bytearray:
    """Return fp32 numbers less `term` each, in fp32."""
    return _shifted(numbers, term, -1.0)


def _shifted(numbers: memoryview | bytearray, term: float, weight: float) -> bytearray:
    out = bytearray(len(numbers))
    terms = memoryview(struct.pack("<f", term) * min(len(numbers) // 4, _SLICE))
    for start in range(0, len(numbers), 4 * _SLICE):
        part = memoryview(numbers)[start : start + 4 * _SLICE]
        weighted_sum(
            memoryview(out)[start : start + len(part)], FP32, [part, terms[: len(part)]],
            [FP32, FP32], (1.0, weight), len(part) // 4,
        )  # fmt: skip
    return out
