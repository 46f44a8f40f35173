"""The arithmetic of kanna: ``out = round(sum(weight * input))``, element by element; and codebooks.

The C extension `kanna._kernel` computes it. Where that could not be built torch does, with the same
bits and the same counts, and only then is torch imported.

Sums are made in fp32, in the order of the inputs, every product and every sum rounded; in fp64 with
`double`, and always when the target is fp64 or an integer. The result is rounded once to nearest
even; from fp64 to fp16, bf16 and fp8 it passes through fp32, because torch's ``.to()`` does. One
input with weight 1 is a pure conversion and gives the bits of ``.to()``, but

- fp8 e4m3 has no Inf: what is above 464, and Inf, becomes 448, as in torch since 2.13;
- bf16 has one NaN, 0xFFFF: torch's from fp32 on processors with AVX2, where its others vary;
- integers are truncated toward zero and clipped, NaN becomes 0 (all of it undefined in torch);
- equal dtypes are copied.

A NaN that a sum of several inputs makes or meets is the positive quiet one, on every processor.

GGUF's block types (`kanna.formats.ggml_types`) are read as fp32 and, those of ``WRITTEN``, written
from fp32, with the bits of gguf's Python package. They have neither NaN nor Inf of their own:
before a block is written NaN becomes 0 and Inf the greatest magnitude beside it, both counted. A
scale or least value that fp16 cannot hold is written as Inf, as gguf does, and all the finite
elements of its block count as overflowed. NaN that comes out of a block is the positive quiet one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from kanna.dtypes import DType
from kanna.errors import MissingExtra

Buffer = memoryview | bytearray | bytes
Backend = Literal["native", "torch"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to the numbers, in elements.

    `nan_out` sums are NaN, `nan_made` of them although no input was. `overflowed` sums of finite
    inputs became Inf or, where the target has no Inf, were clipped. `inf_in` elements had an Inf
    among their inputs.
    """

    nan_out: int = 0
    nan_made: int = 0
    overflowed: int = 0
    inf_in: int = 0

    @property
    def lost(self) -> int:
        """The numbers that were good and are no more: too large for the target, or made NaN."""
        return self.overflowed + self.nan_made

    def __add__(self, other: Counts) -> Counts:
        """Return the counts of both."""
        return Counts(
            self.nan_out + other.nan_out,
            self.nan_made + other.nan_made,
            self.overflowed + other.overflowed,
            self.inf_in + other.inf_in,
        )


@cache
def backend() -> Backend:
    """Return what computes: the C extension, or torch if that is missing or ``KANNA_KERNEL=torch``.

    Raises:
        MissingExtra: there is neither.
    """
    if os.environ.get("KANNA_KERNEL") != "torch" and _has_extension():
        return "native"
    if find_spec("torch"):
        return "torch"
    raise MissingExtra("kernel.missing")


def _has_extension() -> bool:
    try:
        import_module("kanna._kernel")
    except ImportError:
        return False
    return True


def weighted_sum(
    out: memoryview | bytearray,
    out_dtype: DType,
    inputs: Sequence[Buffer],
    in_dtypes: Sequence[DType],
    weights: Sequence[float],
    count: int,
    *,
    double: bool = False,
) -> Counts:
    """Fill `out` with the weighted sum of `inputs`, `count` elements of each, and count accidents.

    Every buffer is contiguous, little-endian, may start at any byte, and holds exactly `count`
    elements of its dtype, which for block types are whole blocks.

    Raises:
        ValueError: the arguments do not fit together, or a dtype has no arithmetic.
        TypeError: an argument is of the wrong type, or `out` is read-only.
        BufferError: a buffer is not contiguous.
        MissingExtra: there is neither the C extension nor torch.
    """
    out_code, *in_codes = (_code(dtype) for dtype in (out_dtype, *in_dtypes))
    return Counts(
        *_module().weighted_sum(
            out, out_code, tuple(inputs), tuple(in_codes), tuple(weights), count, double
        )
    )


def max_abs(data: Buffer, dtype: DType, count: int) -> tuple[float, int]:
    """Return the greatest magnitude of the finite elements, 0 without any; and how many are not.

    Raises:
        ValueError: `data` does not hold `count` elements, or the dtype has no arithmetic.
        MissingExtra: there is neither the C extension nor torch.
    """
    greatest, not_finite = _module().max_abs(data, _code(dtype), count)
    return greatest, not_finite


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two tensors x and y are apart; sums in fp64, over the elements finite in both.

    `count` is how many these are; `largest` is the greatest ``abs(x - y)``, the others are the sums
    of ``x*x``, ``y*y``, ``x*y`` and ``(x-y)**2``. Those of pieces add up to that of the whole.
    """

    count: int = 0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    dd: float = 0.0
    largest: float = 0.0

    def __add__(self, other: Comparison) -> Comparison:
        """Return the comparison of both pieces."""
        return Comparison(
            self.count + other.count,
            self.xx + other.xx,
            self.yy + other.yy,
            self.xy + other.xy,
            self.dd + other.dd,
            max(self.largest, other.largest),
        )


def compare(
    first: Buffer, first_dtype: DType, second: Buffer, second_dtype: DType, count: int
) -> Comparison:
    """Compare two buffers of `count` elements each.

    Raises:
        ValueError: a buffer does not hold `count` elements, or a dtype has no arithmetic.
        MissingExtra: there is neither the C extension nor torch.
    """
    codes = _code(first_dtype), _code(second_dtype)
    return Comparison(*_module().compare(first, codes[0], second, codes[1], count))


def pack4(
    packed_out: memoryview | bytearray,
    absmax_out: memoryview | bytearray,
    data: Buffer,
    dtype: DType,
    count: int,
    *,
    table: bytes,
    block: int,
) -> Counts:
    """Fill `packed_out` with 4-bit codes, `absmax_out` with the greatest magnitudes as fp32.

    Every `block` elements (an even number up to 4096) share an absmax; the last block may be
    shorter. Two codes are in a byte, the first in the high nibble; an odd count ends with the code
    of 0. `table` is of `kanna.codebooks`. Bits are those of bitsandbytes' ``quantize_4bit`` on the
    CPU, which multiplies whole blocks by the inverse of their absmax and divides a shorter last
    one: only the end of a tensor may be a part of a block.

    A NaN makes the absmax NaN, an Inf makes it Inf: of the block nothing is left, and the finite
    elements that come back as NaN are `Counts.nan_made`.

    Raises:
        ValueError: the buffers, the count, the table and the block do not fit together, or the
            dtype has no arithmetic or is of blocks.
        TypeError: an argument is of the wrong type, or an output is read-only.
        BufferError: a buffer is not contiguous.
        MissingExtra: there is neither the C extension nor torch.
    """
    return Counts(*_module().pack4(packed_out, absmax_out, data, _code(dtype), count, table, block))


def pack8(
    packed_out: memoryview | bytearray,
    absmax_out: memoryview | bytearray,
    data: Buffer,
    dtype: DType,
    count: int,
    *,
    table: bytes,
    block: int,
) -> Counts:
    """Do as `pack4`, with codes of one byte: bitsandbytes' ``quantize_blockwise`` on the CPU.

    `table` has 256 rising numbers. A NaN gets code 0 and has no say in the absmax; beside an Inf,
    the finite elements of a block count as overflowed.

    Raises:
        The same as `pack4`.
    """
    return Counts(*_module().pack8(packed_out, absmax_out, data, _code(dtype), count, table, block))


def unpack4(
    out: memoryview | bytearray,
    out_dtype: DType,
    packed: Buffer,
    absmax: Buffer,
    count: int,
    *,
    table: bytes,
    block: int,
) -> Counts:
    """Fill `out` with what `pack4` packed: table entries times absmax in fp32, rounded once.

    `out_dtype` is a float of at most 32 bits. The counts are of results: NaN, finite and too great
    for the dtype, and Inf (`Counts.inf_in`).

    Raises:
        The same as `pack4`.
    """
    return Counts(*_module().unpack4(out, _code(out_dtype), packed, absmax, count, table, block))


def unpack8(
    out: memoryview | bytearray,
    out_dtype: DType,
    packed: Buffer,
    absmax: Buffer,
    count: int,
    *,
    table: bytes,
    block: int,
) -> Counts:
    """Do as `unpack4`, for codes of one byte.

    Raises:
        The same as `pack4`.
    """
    return Counts(*_module().unpack8(out, _code(out_dtype), packed, absmax, count, table, block))


def _module() -> Any:
    return import_module("kanna._kernel" if backend() == "native" else "kanna._kernel_torch")


def _code(dtype: DType) -> int:
    if dtype.code is None:
        raise ValueError(f"the kernel has no arithmetic for {dtype.word}")
    return dtype.code
