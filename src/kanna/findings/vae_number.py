"""A VAE's number: four digits that stay nearly the same through renaming and casting.

``x`` is the sum of ``sigmoid(w) - 1/2`` over all weights ``w`` of encoder and decoder, rounded to
fp16; the number is ``|x / base - 1| * 10000``, less 5000 while that is 10000 or more. Source of the
formula and of the numbers: arenasys/stable-diffusion-webui-model-toolkit, toolkit.py.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from math import exp, fsum, isfinite, isnan
from typing import Final

from kanna.dtypes import FP16
from kanna.identity import Part
from kanna.kernel import weighted_sum
from kanna.model import ModelFile, TensorInfo

_BASE: Final = 17870.7051
_SCALE: Final = 10000
_CHUNK: Final = 1 << 22
_TOLERANCE: Final = 1  # what casting and the order of adding change
_OF_MIDDLE: Final = 2
_KNOWN: Final = {
    "Stable Diffusion 1": 0,
    "Stable Diffusion 2": 869,
    "NovelAI (animefull)": 2982,
    "Waifu Diffusion 1": 155,
    "Waifu Diffusion 2": 41,
}
# The rows of the tables and the architectures whose VAEs the numbers were published for.
ROWS: Final = frozenset({"vae-kl-f8-c4-ldm", "vae-kl-f8-c4-diffusers"})
ARCHITECTURES: Final = frozenset({"sd1", "sd2"})


def number_of(model: ModelFile, part: Part) -> int | None:
    """Return the number of the VAE `part`, or None where its numbers have none: zeros, NaN.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    patterns: Counter[int] = Counter()
    for name in part.names:
        if "encoder." in name or "decoder." in name:
            for piece in _halves(model[name]):
                patterns.update(piece.cast("H"))
    total = fsum(count * _squashed(pattern) for pattern, count in patterns.items())
    if not total or not isfinite(total):
        return None
    number = int(abs(total / _BASE - 1) * _SCALE)
    return number if number < _SCALE else number % (_SCALE // 2) + _SCALE // 2


def name_of(number: int) -> str | None:
    """Return whose VAE has this number, give or take one."""
    return next((name for name, n in _KNOWN.items() if abs(n - number) <= _TOLERANCE), None)


def middle_of(number: int) -> tuple[str, str] | None:
    """Return the two VAEs of which this number is the half-way one.

    The numbers have lost their sign, so that only pairs with the one whose number is 0 add up.
    """
    zero = next(name for name, n in _KNOWN.items() if not n)
    return next(
        ((zero, name) for name, n in _KNOWN.items()
         if n > _SCALE // 20 and abs(n / 2 - number) <= _OF_MIDDLE), None
    )  # fmt: skip


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


def _squashed(pattern: int) -> float:
    """Return ``sigmoid(w) - 1/2`` of the fp16 number with these bits."""
    value: float = struct.unpack("<e", struct.pack("<H", pattern))[0]
    if isnan(value):
        return value
    return 1 / (1 + exp(-max(value, -700.0))) - 0.5
