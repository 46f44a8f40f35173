"""The greatest magnitude, and how far tensors are apart, on every path."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernel_oracle as oracle
from kanna import kernel
from kanna.dtypes import FP16, FP32, FP64, WORDS, DType
from kanna.formats.ggml_types import WRITTEN
from kanna.kernel import Comparison

Array = oracle.Array


@pytest.fixture(params=oracle.paths(), autouse=True, scope="module")
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with oracle.on_path(request.param):
        yield request.param


def anything(word: str, count: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, 8 * count, "u1").view(oracle.raw_dtype(word))[:count]


def as_fp64(raw: Array, word: str) -> Array:
    with np.errstate(invalid="ignore"):  # a signalling NaN is no accident here
        values: Array = oracle.values(raw, word).astype("f8")
    return values


def in_lanes(terms: Array) -> float:
    """Add as the kernel does: eight partial sums, row by row."""
    filled = np.concatenate([terms, np.zeros(-len(terms) % 8)]).reshape(-1, 8)
    lanes = np.zeros(8)
    for row in filled:
        lanes += row
    return float(np.add.accumulate(lanes)[-1])


@given(word=st.sampled_from(oracle.ALL), count=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_the_greatest_magnitude_is_that_of_the_finite_numbers(
    word: str, count: int, seed: int
) -> None:
    raw = anything(word, count, seed)
    values = as_fp64(raw, word)
    finite = abs(values[np.isfinite(values)])
    wanted = float(finite.max(initial=0)), count - len(finite)
    assert kernel.max_abs(raw.tobytes(), WORDS[word], count) == wanted


@pytest.mark.parametrize("count", [0, 1, 2047, 2048, 2049, 9000])
@pytest.mark.parametrize("dtype", [FP32, FP64])
def test_the_greatest_magnitude_is_found_wherever_it_is(count: int, dtype: DType) -> None:
    values = np.full(count, -0.25, "<f4" if dtype is FP32 else "<f8")
    assert kernel.max_abs(values.tobytes(), dtype, count) == (0.25 if count else 0.0, 0)
    for place in {0, count // 2, count - 1} if count else ():
        values[place] = -3
        assert kernel.max_abs(values.tobytes(), dtype, count) == (3.0, 0)
        values[place] = np.nan
        assert kernel.max_abs(values.tobytes(), dtype, count) == (0.25 if count > 1 else 0.0, 1)
        values[place] = -0.25


@given(
    words=st.tuples(st.sampled_from(oracle.ALL), st.sampled_from(oracle.ALL)),
    count=st.integers(1, 60),
    seed=st.integers(0, 2**32),
)
def test_a_comparison_is_of_what_is_finite_in_both(
    words: tuple[str, str], count: int, seed: int
) -> None:
    raws = [anything(word, count, seed + i) for i, word in enumerate(words)]
    x, y = (as_fp64(raw, word) for raw, word in zip(raws, words, strict=True))
    with np.errstate(all="ignore"):
        both = np.isfinite(x) & np.isfinite(y)
        x, y = np.where(both, x, 0), np.where(both, y, 0)
        gap = abs(x - y)
        sums = [in_lanes(terms) for terms in (x * x, y * y, x * y, gap * gap)]
    found = kernel.compare(
        raws[0].tobytes(), WORDS[words[0]], raws[1].tobytes(), WORDS[words[1]], count
    )
    np.testing.assert_equal(
        (found.count, found.xx, found.yy, found.xy, found.dd, found.largest),
        (int(both.sum()), *sums, gap.max()),
    )


@pytest.mark.parametrize("count", [0, 7, 2048, 5003])
def test_long_comparisons_are_summed_in_the_same_order_everywhere(count: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(count).astype("<f4")
    half = x.astype("<f2")
    found = kernel.compare(x.tobytes(), FP32, half.tobytes(), FP16, count)
    a, b = x.astype("f8"), half.astype("f8")
    xx, yy, xy, dd = (in_lanes(terms) for terms in (a * a, b * b, a * b, abs(a - b) ** 2))
    assert found == Comparison(count, xx, yy, xy, dd, float(abs(a - b).max(initial=0)))
    if count:
        assert math.isclose(found.xx, float(np.dot(a, a)), rel_tol=1e-12)


def test_blocks_are_compared_as_numbers() -> None:
    x = np.random.default_rng(1).standard_normal(4096).astype("<f4")
    raw, back = bytearray(WRITTEN["q4_0"].nbytes(4096)), bytearray(4 * 4096)
    kernel.weighted_sum(raw, WRITTEN["q4_0"], [x.tobytes()], [FP32], [1.0], 4096)
    kernel.weighted_sum(back, FP32, [raw], [WRITTEN["q4_0"]], [1.0], 4096)
    found = kernel.compare(x.tobytes(), FP32, raw, WRITTEN["q4_0"], 4096)
    assert found == kernel.compare(x.tobytes(), FP32, back, FP32, 4096)
    assert 0.05 < math.sqrt(found.dd / found.xx) < 0.1
    assert kernel.max_abs(raw, WRITTEN["q4_0"], 4096) == kernel.max_abs(back, FP32, 4096)


def test_comparisons_add_up() -> None:
    first, second = Comparison(1, 2, 3, 4, 5, 6), Comparison(10, 20, 30, 40, 50, 5)
    assert first + second == Comparison(11, 22, 33, 44, 55, 6)


@pytest.mark.parametrize("count", [-1, 1, 3, 2**62])
def test_buffers_of_other_lengths_are_refused(count: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        kernel.max_abs(bytes(8), FP32, count)
    with pytest.raises((ValueError, OverflowError)):
        kernel.compare(bytes(8), FP32, bytes(8), FP32, count)
    with pytest.raises(ValueError):
        kernel.compare(bytes(8), FP32, bytes(8), FP16, 2)
