"""How tensors differ, and from which others the difference is made: one pass over all the files.

Sums are in fp64, over chunks that do not depend on the number of threads, added up in the order of
the tensors: every run gives the same bits.
"""

from __future__ import annotations

import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from kanna.dtypes import FP32, DType
from kanna.errors import Interrupted
from kanna.kernel import Comparison, compare, max_abs, weighted_sum
from kanna.model import TensorInfo

_CHUNK: Final = 1 << 18  # elements: in fp32 they stay in the core's cache from step to step
_TICK: Final = 0.05  # seconds
# Times this, a power of two, any difference has an exponent, and so a last byte that is not 0.
_RAISED: Final = 2.0**64
_ONES: Final = struct.pack("<f", 1.0) * _CHUNK


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One tensor as two files have it, and as candidates do (None: not at all); of one size."""

    name: str
    first: TensorInfo
    second: TensorInfo
    others: tuple[TensorInfo | None, ...] = ()

    @property
    def nbytes(self) -> int:
        """The bytes that are read to compare it."""
        return sum(one.nbytes for one in (self.first, self.second, *self.others) if one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far the second tensor is from the first; of pieces they add up to that of the whole.

    `numbers` were compared, of which `unequal` differ once both have the coarser of their two
    dtypes; `same` says that dtype and bytes are the same. `sums` are those of the kernel, with x of
    the first; `total` is the sum of ``y - x``, `not_finite` counts NaN and Inf in each.
    `products` are the scalar products of ``y - x`` and of every candidate's difference from x, row
    by row, from the diagonal on; 0 where a candidate lacks the tensor or a number is not finite.
    """

    numbers: int = 0
    same: bool = True
    unequal: int = 0
    sums: Comparison = field(default_factory=Comparison)
    total: float = 0.0
    not_finite: tuple[int, int] = (0, 0)
    products: tuple[float, ...] = ()

    def __add__(self, other: Difference) -> Difference:
        """Return the difference of both pieces."""
        return Difference(
            numbers=self.numbers + other.numbers,
            same=self.same and other.same,
            unequal=self.unequal + other.unequal,
            sums=self.sums + other.sums,
            total=self.total + other.total,
            not_finite=(
                self.not_finite[0] + other.not_finite[0],
                self.not_finite[1] + other.not_finite[1],
            ),
            products=_added(self.products, other.products),
        )


def _added(first: Sequence[float], second: Sequence[float]) -> tuple[float, ...]:
    if not first or not second:
        return tuple(first or second)
    return tuple(one + other for one, other in zip(first, second, strict=True))


def differences(
    matches: Sequence[Match],
    *,
    threads: int,
    tick: Callable[[int], None] = lambda _: None,
) -> list[Difference]:
    """Return the difference of each of `matches`, every tensor read once.

    `tick` is called with the bytes read so far, many times a second, in the caller's thread; what
    it raises stops the work.

    Raises:
        FormatError: a file does not hold what its header says.
        MissingExtra: there is neither the C extension nor torch.
    """
    work = _Pass(matches)
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work.run) for _ in range(threads)]
        try:
            while not _finished(futures):
                tick(work.done)
        finally:
            work.stopped = True
    tick(work.done)
    return work.results()


def _finished(futures: Sequence[Future[None]]) -> bool:
    """Wait a moment; pass on what went wrong in a thread."""
    done, waiting = wait(futures, timeout=_TICK)
    for future in done:
        future.result()
    return not waiting


class _Pass:
    """The pass over the files: items that threads take in turn, and what comes of them."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self.done = 0
        self.stopped = False
        self._matches = matches
        self._items = _items(matches)
        self._turn = threading.Lock()
        self._alone = threading.Lock()
        self._found: defaultdict[int, list[tuple[int, Difference]]] = defaultdict(list)

    def run(self) -> None:
        """Work until there is no more to do."""
        room = _Room()
        while not self.stopped:
            with self._turn:
                item = next(self._items, None)
            if item is None:
                return
            index, start, count = item
            for place, difference in self._measured(self._matches[index], start, count, room):
                with self._turn:
                    self._found[index].append((place, difference))
            with self._turn:
                self.done += self._matches[index].nbytes * count // self._matches[index].first.numel

    def _measured(
        self, match: Match, start: int, count: int, room: _Room
    ) -> Iterator[tuple[int, Difference]]:
        if count <= _CHUNK:
            given = [
                None if one is None else room.read(n, one, start, count)
                for n, one in enumerate(_all(match))
            ]
            yield start, _difference(match, given, count, room)
            return
        with self._alone:  # large, and to be had only in one go: one at a time
            whole = [None if one is None else memoryview(one.read()) for one in _all(match)]
            for place in range(0, count, _CHUNK):
                size = min(_CHUNK, count - place)
                if self.stopped:
                    raise Interrupted("engine.interrupted")
                yield place, _difference(match, _cut(match, whole, place, size), size, room)

    def results(self) -> list[Difference]:
        """Return what was found, in the order of the matches."""
        empty = Difference()
        return [
            sum((one for _, one in sorted(self._found[n], key=lambda one: one[0])), empty)
            for n in range(len(self._matches))
        ]


def _items(matches: Sequence[Match]) -> Iterator[tuple[int, int, int]]:
    for index, match in enumerate(matches):
        count = match.first.numel
        alone = any(one is not None and _is_whole(one) for one in _all(match))
        step = count if alone else _CHUNK
        for start in range(0, count, step or 1):
            yield index, start, min(step, count - start)


def _is_whole(tensor: TensorInfo) -> bool:
    """Whether a chunk of `tensor` cannot be read by itself: it is compressed, or of odd bits."""
    return tensor.data.whole or tensor.dtype.nbytes(_CHUNK) * 8 != _CHUNK * tensor.dtype.bits


def _all(match: Match) -> tuple[TensorInfo | None, ...]:
    return match.first, match.second, *match.others


def _cut(
    match: Match, whole: Sequence[memoryview | None], start: int, count: int
) -> list[bytearray | None]:
    cut: list[bytearray | None] = []
    for tensor, data in zip(_all(match), whole, strict=True):
        if tensor is None or data is None:
            cut.append(None)
        else:
            first, last = tensor.dtype.nbytes(start), tensor.dtype.nbytes(start + count)
            cut.append(bytearray(data[first:last]))
    return cut


class _Room:
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


def _difference(
    match: Match, given: Sequence[bytearray | None], count: int, room: _Room
) -> Difference:
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
    first: bytearray, second: bytearray, dtypes: tuple[DType, DType], count: int, room: _Room,
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
    room: _Room,
) -> int:  # fmt: skip
    """Count the numbers that differ when both are rounded to the coarser dtype."""
    if dtypes[0] is not dtypes[1]:
        coarse = _coarser(*dtypes)
        first, second = (
            _rounded(data, dtype, coarse, count, room.take(("cast", n), coarse.nbytes(count)))
            for n, (data, dtype) in enumerate(zip((first, second), dtypes, strict=True))
        )
        if first == second:
            return 0
        apart = _apart(first, second, (coarse, coarse), count, room, 0)
    return count - apart[3::4].count(0)


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
    count: int, room: _Room,
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
