"""The arithmetic of kanna: ``out = round(sum(weight * input))``, element by element.

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
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

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
    elements of its dtype.

    Raises:
        ValueError: the arguments do not fit together, or a dtype has no arithmetic.
        TypeError: an argument is of the wrong type, or `out` is read-only.
        BufferError: a buffer is not contiguous.
        MissingExtra: there is neither the C extension nor torch.
    """
    module = import_module("kanna._kernel" if backend() == "native" else "kanna._kernel_torch")
    out_code, *in_codes = (_code(dtype) for dtype in (out_dtype, *in_dtypes))
    return Counts(
        *module.weighted_sum(
            out, out_code, tuple(inputs), tuple(in_codes), tuple(weights), count, double
        )
    )


def _code(dtype: DType) -> int:
    if dtype.code is None:
        raise ValueError(f"the kernel has no arithmetic for {dtype.word}")
    return dtype.code
