"""A VAE's number: four digits that stay nearly the same through renaming and casting.

``x`` is the sum of ``sigmoid(w) - 1/2`` over all weights ``w`` of encoder and decoder, rounded to
fp16; the number is ``|x / base - 1| * 10000``, less 5000 while that is 10000 or more. Source of the
formula: arenasys/stable-diffusion-webui-model-toolkit, toolkit.py; ``vae.toml`` has the numbers.

The sum is made of two: that of ``w / 4``, which the kernel adds up exactly, and that of the small
rest, for which one weight in sixteen of a large tensor stands. The rest of a VAE's weights is so
small (about ``w**3 / 48``) that this moves the number by less than a tenth of its last digit.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from functools import cache
from math import exp, isfinite, nan
from typing import Any, Final

from kanna.dtypes import FP16, FP64, DType
from kanna.families import tables
from kanna.identity import Part
from kanna.kernel import weighted_sum
from kanna.model import ModelFile, TensorInfo

_BASE: Final = 17870.7051
_SCALE: Final = 10000
_CHUNK: Final = 1 << 22
_STEP: Final = 16
_FEW: Final = 1 << 16  # elements that are all looked at
_FEWEST: Final = 1 << 10
_TOLERANCE: Final = 1  # what casting and the order of adding change
_OF_MIDDLE: Final = 2


def has_number(part: Part) -> bool:
    """Whether the part is a VAE of the shapes that the numbers were published for."""
    return part.component in _published()["rows"]


def published_for(architecture: str) -> bool:
    """Whether the numbers were published for VAEs of this architecture."""
    return architecture in _published()["architectures"]


def number_of(model: ModelFile, part: Part) -> int | None:
    """Return the number of the VAE `part`, or None where its numbers have none: zeros, NaN.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    total = sum(
        _linear(piece) + _rest(piece, step)
        for name in part.names if "encoder." in name or "decoder." in name
        for step in (_STEP if model[name].numel > _FEW else 1,)
        for piece in _halves(model[name])
    )  # fmt: skip
    if not total or not isfinite(total):
        return None
    number = int(abs(total / _BASE - 1) * _SCALE)
    return number if number < _SCALE else number % (_SCALE // 2) + _SCALE // 2


def name_of(number: int) -> str | None:
    """Return whose VAE has this number, give or take one."""
    known = _published()["known"].items()
    return next((name for name, n in known if abs(n - number) <= _TOLERANCE), None)


def middle_of(number: int) -> tuple[str, str] | None:
    """Return the two VAEs of which this number is the half-way one.

    The numbers have lost their sign, so that only pairs with the one whose number is 0 add up.
    """
    known = _published()["known"].items()
    zero = next(name for name, n in known if not n)
    return next(
        ((zero, name) for name, n in known
         if n > _SCALE // 20 and abs(n / 2 - number) <= _OF_MIDDLE), None
    )  # fmt: skip


def _published() -> dict[str, Any]:
    numbers: dict[str, Any] = tables()["families"]["vae"]["numbers"]
    return numbers


def _halves(tensor: TensorInfo) -> Iterator[memoryview]:
    """Yield the tensor's numbers in fp16."""
    if tensor.dtype is FP16:
        yield from tensor.pieces(_CHUNK)
    elif tensor.dtype.is_float:
        for piece in tensor.pieces(_CHUNK):
            count = len(piece) * 8 // tensor.dtype.bits
            out = memoryview(bytearray(FP16.nbytes(count)))
            weighted_sum(out, FP16, [piece], [tensor.dtype], (1.0,), count)
            yield out


def _linear(piece: memoryview) -> float:
    """Return the sum of a quarter of all fp16 numbers, halving them in pairs until few are left."""
    dtype, numbers, odd = FP16, piece, 0.0
    count = len(piece) // 2
    while count > _FEWEST:
        half, width = count // 2, dtype.bits // 8
        out = memoryview(bytearray(8 * half))
        pair = [numbers[: half * width], numbers[half * width : 2 * half * width]]
        weighted_sum(out, FP64, pair, [dtype, dtype], (1.0, 1.0), half)
        if count % 2:
            odd += _values(numbers[2 * half * width :], dtype)[0]
        dtype, numbers, count = FP64, out, half
    return (sum(_values(numbers, dtype)) + odd) / 4


def _values(numbers: memoryview, dtype: DType) -> tuple[float, ...]:
    letter = "e" if dtype is FP16 else "d"
    return struct.unpack(f"<{len(numbers) * 8 // dtype.bits}{letter}", numbers)


def _rest(piece: memoryview, step: int) -> float:
    """Return what the sum of quarters lacks, from every `step`-th number."""
    patterns = Counter(piece.cast("H")[::step])
    return step * sum(count * _bend(pattern) for pattern, count in patterns.items())


@cache
def _bend(pattern: int) -> float:
    """Return ``sigmoid(w) - 1/2 - w/4`` of the fp16 number with these bits."""
    value: float = struct.unpack("<e", struct.pack("<H", pattern))[0]
    if not isfinite(value):
        return nan
    return 1 / (1 + exp(-max(value, -700.0))) - 0.5 - value / 4
