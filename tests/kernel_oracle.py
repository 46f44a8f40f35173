"""What the kernel must answer, worked out another way: numpy in fp64 and tables of all values.

A format of 8 or 16 bits has few values, so rounding is a search: the two neighbours of a number in
the list of all of them, the nearer wins, between equals the even one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from kanna import kernel
from kanna.dtypes import WORDS, DType

Array = np.ndarray[Any, Any]

FLOATS = ("fp64", "fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
ALL = (*FLOATS, *INTEGERS, "bool")

# The bits of each format; those of its Inf (e4m3: of its greatest number) and of the NaN of a sum.
RAW: dict[int, np.dtype[Any]] = {
    8: np.dtype("u1"),
    16: np.dtype("<u2"),
    32: np.dtype("<u4"),
    64: np.dtype("<u8"),
}
TOP = {"fp16": 0x7C00, "bf16": 0x7F80, "fp8_e4m3": 0x7E, "fp8_e5m2": 0x7C}
NAN = {"fp64": 0x7FF8 << 48, "fp32": 0x7FC00000, "fp16": 0x7E00, "bf16": 0xFFFF,
       "fp8_e4m3": 0x7F, "fp8_e5m2": 0x7F}  # fmt: skip


def paths() -> list[str]:
    """Return every way to compute that this run must prove."""
    if os.environ.get("KANNA_KERNEL") == "torch":
        return ["torch"]
    from kanna import _kernel

    return _kernel.paths()


@contextmanager
def on_path(name: str) -> Iterator[None]:
    """Compute on the path `name`, then on the usual one again."""
    if name == "torch":
        yield
        return
    from kanna import _kernel

    _kernel.use_path(name)
    yield
    _kernel.use_path(_kernel.paths()[0])


def raw_dtype(word: str) -> np.dtype[Any]:
    return RAW[WORDS[word].bits]


def every_pattern(word: str) -> Array:
    return np.arange(2 ** WORDS[word].bits, dtype=raw_dtype(word))


def compute(
    out: str, inputs: list[Array], words: list[str], weights: list[float], *, double: bool = False
) -> tuple[Array, kernel.Counts]:
    """Let the kernel sum arrays of raw bits; return the raw bits of the sum, and the counts."""
    count = len(inputs[0])
    buffer = bytearray(WORDS[out].nbytes(count))
    dtypes: list[DType] = [WORDS[word] for word in words]
    data = [array.tobytes() for array in inputs]
    counts = kernel.weighted_sum(buffer, WORDS[out], data, dtypes, weights, count, double=double)
    return np.frombuffer(buffer, raw_dtype(out)), counts


def convert(raw: Array, source: str, target: str) -> Array:
    return compute(target, [raw], [source], [1.0])[0]


@dataclass(frozen=True)
class Layout:
    fraction: int
    bias: int


SMALL = {
    "fp16": Layout(10, 15),
    "bf16": Layout(7, 127),
    "fp8_e4m3": Layout(3, 7),
    "fp8_e5m2": Layout(2, 15),
}


def values(raw: Array, word: str) -> Array:
    """Return the numbers that raw bits stand for: integers as they are, small floats in fp64."""
    if word == "bool":
        return raw.astype("?")
    if word in INTEGERS:
        return raw.view(word)
    if word in {"fp64", "fp32"}:
        return raw.view("<f8" if word == "fp64" else "<f4")
    layout, bits = SMALL[word], WORDS[word].bits
    magnitude = (raw & ((1 << (bits - 1)) - 1)).astype("i8")
    sign = np.where(raw >> (bits - 1), -1.0, 1.0)
    exponent, fraction = magnitude >> layout.fraction, magnitude & ((1 << layout.fraction) - 1)
    scale = np.exp2(np.maximum(exponent, 1) - layout.bias - layout.fraction)
    number = (fraction + np.where(exponent > 0, 1 << layout.fraction, 0)) * scale
    if word == "fp8_e4m3":
        number = np.where(magnitude == 0x7F, np.nan, number)
    else:
        top = exponent == (1 << (bits - 1 - layout.fraction)) - 1
        number = np.where(top, np.where(fraction == 0, np.inf, np.nan), number)
    signed: Array = sign * number
    return signed


@cache
def _finite(word: str) -> Array:
    """Return every finite number >= 0 of a small format, and the next one if it went on."""
    last = TOP[word] + 1 if word == "fp8_e4m3" else TOP[word]
    found = values(np.arange(last, dtype=raw_dtype(word)), word)
    return np.append(found, 2 * found[-1] - found[-2])


def rounded(total: Array, word: str) -> Array:
    """Return the raw bits of fp32 or fp64 sums in a format; NaN becomes the NaN of a sum."""
    if word == "bool":
        truth: Array = total != 0
        return truth.astype("u1")
    if word in INTEGERS:
        return _whole(total, word)
    if word in {"fp64", "fp32"}:
        bits = total.astype("<f8" if word == "fp64" else "<f4").view(raw_dtype(word))
    else:
        bits = _nearest(total.astype("<f4").astype("<f8"), word)
    result: Array = np.where(np.isnan(total), raw_dtype(word).type(NAN[word]), bits)
    return result


def _nearest(number: Array, word: str) -> Array:
    table, magnitude = _finite(word), np.nan_to_num(np.abs(number), posinf=1e300)
    above = np.clip(np.searchsorted(table, magnitude), 1, len(table) - 1)
    below = above - 1
    middle = (table[below] + table[above]) / 2
    even = below + (below & 1)
    index = np.where(magnitude < middle, below, np.where(magnitude > middle, above, even))
    bits = np.minimum(np.where(magnitude == 0, 0, index), TOP[word])
    signed: Array = bits + (np.signbit(number) << (WORDS[word].bits - 1))
    narrowed: Array = signed.astype(raw_dtype(word))
    return narrowed


def _whole(total: Array, word: str) -> Array:
    limits, (below, above) = np.iinfo(word), _outside(total, word)
    whole = np.where(below | above | np.isnan(total), 0, total).astype("i8")
    clipped: Array = np.where(below, limits.min, np.where(above, limits.max, whole)).astype(word)
    return clipped.view(raw_dtype(word))


def _outside(total: Array, word: str) -> tuple[Array, Array]:
    """Return where a number, truncated, lies below and above the integers of a format."""
    limits, whole = np.iinfo(word), np.trunc(total)
    return whole < float(limits.min), whole >= float(int(limits.max) + 1)


def expected(
    out: str, inputs: list[Array], words: list[str], weights: list[float], *, double: bool = False
) -> tuple[Array, kernel.Counts]:
    """Return what `compute` must."""
    lane = np.dtype("<f8" if double or out == "fp64" or out not in FLOATS else "<f4")
    numbers = [values(raw, word) for raw, word in zip(inputs, words, strict=True)]
    with np.errstate(all="ignore"):
        terms = [x.astype(lane) * lane.type(w) for x, w in zip(numbers, weights, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        bits = rounded(total, out)
        nan_in, inf_in = (np.any([f(x) for x in numbers], axis=0) for f in (np.isnan, np.isinf))
        nan_out = np.isnan(total)
        too_great = _too_great(total, out) & ~inf_in & ~nan_out
    sums = (nan_out, nan_out & ~nan_in, too_great, inf_in)
    return bits, kernel.Counts(*(int(mask.sum()) for mask in sums))


def _too_great(total: Array, word: str) -> Array:
    if word in INTEGERS:
        return np.logical_or(*_outside(total, word))
    in_format = values(rounded(total, word), word) if word in FLOATS else total
    infinite: Array = np.isinf(in_format)
    return np.abs(total.astype("<f4")) > 464 if word == "fp8_e4m3" else infinite
