"""Numbers too large for fp8 become the largest that it has, where an op asks for that.

The kernel does so for e4m3, which has no Inf; of e5m2 it makes Inf as torch does, which one
activation is enough to turn into NaN.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kanna.dtypes import FP8_E4M3, FP8_E5M2, DType
from kanna.kernel import Counts
from kanna.plan import Encoded, OneScale, Op, WeightedSum

# Inf of both signs and the number before it. Source: OCP OFP8, E5M2.
_FINITE: Final = MappingProxyType({FP8_E5M2: bytes.maketrans(b"\x7c\xfc", b"\x7b\xfb")})
CLIPPED: Final = (FP8_E4M3, *_FINITE)


def clips(op: Op) -> bool:
    """Whether `op` makes the largest number of what is too large, so that nothing becomes Inf."""
    match op:
        case WeightedSum(clipped=clipped):
            return clipped
        case Encoded(OneScale()):
            return True
    return False


def clip(out: memoryview, dtype: DType, counts: Counts) -> None:
    """Make finite numbers of what is Inf in `out`, if `counts` says that there may be any."""
    table = _FINITE.get(dtype)
    if table is not None and (counts.overflowed or counts.inf_in):
        out[:] = bytes(out).translate(table)
