"""Quantised tensors as views that decode them: fp32 numbers, a run at a time, from stored ones."""

from __future__ import annotations

import struct
from typing import Final

from kanna.dtypes import FP32
from kanna.kernel import compare, weighted_sum

NESTED_BLOCK: Final = 256  # numbers of bitsandbytes' nested statistics that share a largest one
_SLICE: Final = 1 << 16


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
