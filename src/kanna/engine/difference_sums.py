"""The sums of a comparison over one chunk of numbers, which lies in the core's cache."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from itertools import combinations
from math import isnan
from typing import Final

from kanna.dtypes import FP32, DType
from kanna.engine.difference import Difference, Match
from kanna.kernel import compare, max_abs, weighted_sum
from kanna.model import TensorInfo

CHUNK: Final = 1 << 18  # elements: in fp32 they stay in the core's cache from step to step
# Times this, a power of two, any difference has an exponent, and so a last byte that is not 0.
_RAISED: Final = 2.0**64
_FP32: Final = struct.Struct("<f")
_ONES: Final = _FP32.pack(1.0) * CHUNK
_ENDLESS: Final = re.compile(rb"[\x7f\xff]")  # the last byte of NaN and Inf in fp32


class Room:
    """The buffers of one thread, taken again and again; each is as long as what it holds."""

    def __init__(self) -> None:
        self._buffers: dict[object, bytearray] = {}

    def take(self, key: object, size: int) -> bytearray:
        """Return the buffer `key` with `size` bytes, whatever they are."""
        buffer = self._buffers.get(key)
        if buffer is None or len(buffer) != size:
            buffer = self._buffers[key] = bytearray(size)
        return buffer

    def read(self, key: object, tensor: TensorInfo, start: int, count: int) -> bytearray:
        """Return `count` numbers of `tensor` from `start` on."""
        data = self.take(key, tensor.dtype.nbytes(count))
        tensor.data.read_into(tensor.dtype.nbytes(start), memoryview(data))
        return data


def difference_of(
    match: Match, given: Sequence[bytearray | None], count: int, room: Room
) -> Difference:
    """Return the difference of `count` numbers, `given` as each file has them."""
    dtypes = match.first.dtype, match.second.dtype
    first, second, *others = given
    assert first is not None
    assert second is not None
    same = dtypes[0] is dtypes[1] and first == second
    if any(dtype.code is None for dtype in dtypes):  # nothing is known of them but their bytes
        return Difference(numbers=count, same=same, unequal=0 if same else count)
    sums = compare(first, dtypes[0], second, dtypes[1], count)
    unfinished = (0, 0)
    if sums.count < count:
        unfinished = (max_abs(first, dtypes[0], count)[1], max_abs(second, dtypes[1], count)[1])
    unequal, total = 0, 0.0
    products: tuple[float, ...] = ()
    if not same or others:
        apart = _apart(first, second, dtypes, count, room, 0)
        products = _products(match, first, apart, others, count, room)
        if not same:
            total = compare(apart, FP32, memoryview(_ONES)[: 4 * count], FP32, count).xy / _RAISED
            unequal = _unequal(first, second, dtypes, apart, count, room)
    return Difference(numbers=count, same=same, unequal=unequal, sums=sums, total=total,
                      not_finite=unfinished, products=products)  # fmt: skip


def _apart(
    first: bytearray, second: bytearray, dtypes: tuple[DType, DType], count: int, room: Room,
    place: int,
) -> bytearray:  # fmt: skip
    """Return the second less the first in fp32, raised; in the buffer of that place."""
    out = room.take(("apart", place), 4 * count)
    wide = any(dtype.bits > FP32.bits or not dtype.is_float for dtype in dtypes)
    weights = (_RAISED, -_RAISED)
    weighted_sum(out, FP32, [second, first], dtypes[::-1], weights, count, double=wide)
    return out


def _unequal(
    first: bytearray, second: bytearray, dtypes: tuple[DType, DType], apart: bytearray, count: int,
    room: Room,
) -> int:  # fmt: skip
    """Count the numbers that differ when both are rounded to the coarser dtype."""
    coarse = _coarser(*dtypes)
    if dtypes[0] is not dtypes[1]:
        first, second = (
            _rounded(data, dtype, coarse, count, room.take(("cast", n), coarse.nbytes(count)))
            for n, (data, dtype) in enumerate(zip((first, second), dtypes, strict=True))
        )
        if first == second:
            return 0
        apart = _apart(first, second, (coarse, coarse), count, room, 0)
    high = apart[3::4]
    zeros = high.count(0) + high.count(0x80)  # of both signs
    return count - zeros - _alike(high, apart, (first, second), coarse, count, room)


def _alike(
    high: bytearray, apart: bytearray, pair: tuple[bytearray, bytearray], dtype: DType,
    count: int, room: Room,
) -> int:  # fmt: skip
    """Count numbers whose difference is NaN although they are equal: NaN, Inf, and very large."""
    places = [found.start() for found in _ENDLESS.finditer(high)]
    places = [at for at in places if isnan(*_FP32.unpack_from(apart, 4 * at))]
    if not places:
        return 0
    first, second = (
        _rounded(data, dtype, FP32, count, room.take(("alike", n), 4 * count))
        for n, data in enumerate(pair)
    )
    numbers = ((*_FP32.unpack_from(first, 4 * at), *_FP32.unpack_from(second, 4 * at))
               for at in places)  # fmt: skip
    return sum(one == other or (isnan(one) and isnan(other)) for one, other in numbers)


def _rounded(data: bytearray, dtype: DType, target: DType, count: int, out: bytearray) -> bytearray:
    if dtype is target:
        return data
    weighted_sum(out, target, [data], [dtype], (1.0,), count)
    return out


def _coarser(first: DType, second: DType) -> DType:
    """Return the dtype with fewer bits; of two with as many, the second; a float before all."""
    if first.is_float is not second.is_float:
        return first if first.is_float else second
    return first if first.bits < second.bits else second


def _products(
    match: Match, first: bytearray, second: bytearray, others: Sequence[bytearray | None],
    count: int, room: Room,
) -> tuple[float, ...]:  # fmt: skip
    """Return the scalar products of all differences from `first`; `second` is one already."""
    if not others:
        return ()
    apart = {0: second}
    for place, (data, tensor) in enumerate(zip(others, match.others, strict=True), start=1):
        if data is not None and tensor is not None and tensor.dtype.code is not None:
            dtypes = match.first.dtype, tensor.dtype
            apart[place] = _apart(first, data, dtypes, count, room, place)
    found: dict[tuple[int, int], float] = {}
    for one, other in combinations(apart, 2):
        sums = compare(apart[one], FP32, apart[other], FP32, count)
        if sums.count < count:
            found = {}
            break
        found |= {(one, other): sums.xy, (one, one): sums.xx, (other, other): sums.yy}
    size = len(others) + 1
    return tuple(found.get((i, j), 0.0) / _RAISED**2 for i in range(size) for j in range(i, size))
