"""Differences of tensors, held against numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.dtypes import WORDS
from kanna.engine.differences import Difference, Match, _Pass, differences
from kanna.engine.meter import Meter
from kanna.errors import Interrupted
from kanna.model import Extent, TensorInfo
from kanna.views.given import Given

TYPES = {"fp16": "<f2", "fp32": "<f4", "fp64": "<f8", "int64": "<i8"}


def tensor(numbers: Any, word: str = "fp32") -> TensorInfo:
    data = np.asarray(numbers).astype(TYPES[word])
    return TensorInfo("t", WORDS[word], data.shape, Given(data.tobytes()))


def one(match: Match, threads: int = 2) -> Difference:
    return differences([match], threads=threads)[0]


def pair(first: TensorInfo, second: TensorInfo, *others: TensorInfo | None) -> Match:
    return Match(name="t", first=first, second=second, others=others)


def normal(seed: int, count: int) -> Any:
    return np.random.default_rng(seed).standard_normal(count)


@pytest.mark.parametrize("words", [("fp16", "fp16"), ("fp32", "fp16"), ("fp64", "fp32")])
@pytest.mark.parametrize("count", [1, 7, 4096, (1 << 18) + 13])
def test_sums_are_those_of_numpy(words: tuple[str, str], count: int) -> None:
    x = normal(1, count).astype(TYPES[words[0]])
    y = (x + 0.01 * normal(2, count)).astype(TYPES[words[1]])
    found = one(pair(tensor(x, words[0]), tensor(y, words[1])))
    a, b = x.astype("f8"), y.astype("f8")
    assert found.numbers == found.sums.count == count
    expected = [a @ a, b @ b, a @ b, (b - a) @ (b - a), np.abs(b - a).max(), (b - a).sum()]
    sums = found.sums
    got = [sums.xx, sums.yy, sums.xy, sums.dd, sums.largest, found.total]
    assert got == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_products_are_those_of_the_differences_from_the_first() -> None:
    count = (1 << 18) + 5
    x = normal(1, count).astype("f4")
    rest = [(x + 0.01 * normal(seed, count)).astype("f4") for seed in (2, 3, 4)]
    found = one(pair(tensor(x), *map(tensor, rest)))
    apart = [y.astype("f8") - x for y in rest]
    expected = [apart[i] @ apart[j] for i, j in combinations_with_replacement(range(3), 2)]
    assert found.products == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_a_candidate_without_the_tensor_adds_nothing() -> None:
    x, y, c = (normal(seed, 100).astype("f4") for seed in (1, 2, 3))
    found = one(pair(tensor(x), tensor(y), None, tensor(c)))
    bb, b1, bc, one_one, one_c, cc = found.products
    assert b1 == one_one == one_c == 0
    assert bc == pytest.approx(float((y - x).astype("f8") @ (c - x)), rel=1e-5)
    assert min(bb, cc) > 0


@given(st.lists(st.integers(0, 999), max_size=20, unique=True))
def test_unequal_numbers_are_counted(places: list[int]) -> None:
    x = normal(1, 1000).astype("f2")
    y = x.copy()
    for place in places:  # the next fp16 number, the least change that there is
        y[place] = np.nextafter(y[place], np.float16(np.inf))
    found = one(pair(tensor(x, "fp16"), tensor(y, "fp16")))
    assert (found.unequal, found.same) == (len(places), not places)


def test_the_smallest_numbers_are_told_apart() -> None:
    x = np.array([0, 2.0**-149, 1e-40, -1e-44, 1.0], "f4")
    y = np.array([2.0**-149, 0, 1e-40, 1e-44, 1.0], "f4")
    assert one(pair(tensor(x), tensor(y))).unequal == 3


def test_a_cast_has_no_unequal_number_and_is_not_the_same() -> None:
    x = normal(1, 5000).astype("f4")
    found = one(pair(tensor(x), tensor(x, "fp16")))
    assert (found.unequal, found.same) == (0, False)
    back = one(pair(tensor(x, "fp16"), tensor(x)))
    assert (back.unequal, back.same) == (0, False)


def test_numbers_that_are_none_are_counted_and_left_out() -> None:
    x, y = normal(1, 50).astype("f4"), normal(2, 50).astype("f4")
    x[3], y[3], y[7] = np.nan, np.inf, -np.inf
    found = one(pair(tensor(x), tensor(y), tensor(normal(3, 50))))
    keep = [n for n in range(50) if n not in {3, 7}]
    assert found.not_finite == (1, 2)
    assert found.sums.count == 48
    apart = y[keep].astype("f8") - x[keep]
    assert found.sums.dd == pytest.approx(apart @ apart)
    assert found.total == pytest.approx(apart.sum(), rel=1e-5)
    assert not any(found.products)


def test_the_same_nan_is_the_same() -> None:
    x = np.array([1, np.nan], "f4")
    found = one(pair(tensor(x), tensor(x)))
    assert (found.same, found.unequal) == (True, 0)


def test_integers_are_compared_exactly() -> None:
    ids = np.arange(77)
    wrong = ids.copy()
    wrong[5] = 2**40
    found = one(pair(tensor(ids, "int64"), tensor(wrong, "int64")))
    assert found.unequal == 1
    assert one(pair(tensor(ids, "int64"), tensor(ids, "fp16"))).unequal == 0


def test_what_the_kernel_does_not_know_is_compared_by_bytes() -> None:
    data = [TensorInfo("t", WORDS["complex64"], (2,), Given(bytes([n]) * 16)) for n in (1, 1, 2)]
    assert one(pair(data[0], data[1])).same
    found = one(pair(data[0], data[2], data[1]))
    assert (found.same, found.unequal, found.sums.count) == (False, 2, 0)


def test_threads_change_no_bit() -> None:
    def matches() -> list[Match]:
        return [
            pair(tensor(normal(n, size)), tensor(normal(n + 1, size)), tensor(normal(n + 2, size)))
            for n, size in enumerate((3, 1 << 19, 70_000, (1 << 18) + 1))
        ]

    assert differences(matches(), threads=1) == differences(matches(), threads=4)


@dataclass
class InOneGo:
    """Data that can only be read whole, and says how often it was."""

    data: bytes
    reads: int = 0
    whole: bool = True

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        assert (start, len(out)) == (0, len(self.data))
        self.reads += 1
        out[:] = self.data


def test_what_comes_in_one_go_is_read_once() -> None:
    x = normal(1, (1 << 19) + 3).astype("f4")
    data = InOneGo(x.tobytes())
    whole = TensorInfo("t", WORDS["fp32"], x.shape, data)
    y = tensor(x + np.float32(0.5))
    assert one(pair(whole, y)) == one(pair(tensor(x), y))
    assert data.reads == 1


def test_nothing_is_compared_as_nothing() -> None:
    assert differences([], threads=2) == []
    assert one(pair(tensor([]), tensor([]))).same


def test_progress_reaches_the_end() -> None:
    seen: list[int] = []
    match = pair(tensor(normal(1, 1 << 19)), tensor(normal(2, 1 << 19)))
    differences([match], threads=2, tick=seen.append)
    assert seen[-1] == match.nbytes
    assert seen == sorted(seen)


def test_a_cancelled_pass_ends() -> None:
    cancel = Event()
    cancel.set()
    meter = Meter(1, None, cancel)
    match = pair(tensor(normal(1, 1 << 20)), tensor(normal(2, 1 << 20)))
    with pytest.raises(Interrupted):
        differences([match], threads=2, tick=meter.tick)


def test_errors_of_a_thread_are_passed_on() -> None:
    class Broken:
        whole = False

        def extent(self) -> Extent | None:
            return None

        def read_into(self, start: int, out: memoryview) -> None:
            raise EOFError(start, len(out))

    broken = TensorInfo("t", WORDS["fp32"], (4,), Broken())
    with pytest.raises(EOFError):
        one(pair(tensor(normal(1, 4)), broken))


def test_pieces_add_up() -> None:
    halves: Sequence[Difference] = [
        one(pair(tensor([1.0, 2.0]), tensor([1.0, 3.0]))),
        one(pair(tensor([4.0]), tensor([4.0]))),
    ]
    assert sum(halves, Difference()).same is False
    assert sum(halves, Difference()) == one(pair(tensor([1.0, 2.0, 4.0]), tensor([1.0, 3.0, 4.0])))


@pytest.mark.parametrize("word", ["fp16", "fp32"])
def test_what_has_no_difference_is_not_counted_for_being_endless(word: str) -> None:
    large = 65504.0 if word == "fp16" else 3e38
    x = np.array([np.nan, np.inf, -np.inf, np.inf, np.nan, large, -0.0, 1.0, 2.0], "f4")
    y = np.array([np.nan, np.inf, -np.inf, -np.inf, np.inf, large, 0.0, 1.0, 2.5], "f4")
    found = one(pair(tensor(x, word), tensor(y, word)))
    assert (found.unequal, found.same) == (3, False)
    back = one(pair(tensor(y, word), tensor(x, word)))
    assert (back.unequal, back.same) == (3, False)


def test_a_cast_stays_one_with_numbers_that_are_none() -> None:
    x = np.array([1e-8, np.nan, np.inf, 1e6, -0.0, 6e-8, 0.1, 3.0], "f4")
    with np.errstate(over="ignore"):
        y = x.astype("f2")
    y[-1] = 4.0
    assert one(pair(tensor(x), tensor(y, "fp16"))).unequal == 1
    assert one(pair(tensor(y, "fp16"), tensor(x))).unequal == 1


def test_pieces_that_come_early_wait_for_their_turn() -> None:
    work = _Pass([pair(tensor(normal(1, 3)), tensor(normal(2, 3)))])
    for place, number in ((4, 1e17), (2, 1.0), (0, -1e17)):
        work._add(0, place, Difference(numbers=2, total=number))
        assert (work._next[0] > 0) is (place == 0)
    assert work.results()[0].total == (-1e17 + 1.0) + 1e17
    assert not work._early
