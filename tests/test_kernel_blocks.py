"""GGUF's blocks, bit for bit what gguf's Python package makes of them, on every path."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gguf
import numpy as np
import pytest

import kernel_oracle as oracle
from kanna import kernel
from kanna.dtypes import BF16, FP16, FP32, FP64, INT64, WORDS, DType
from kanna.formats.ggml_types import GGML_TYPES, WRITTEN, BlockType
from kanna.kernel import Counts

Array = oracle.Array

BLOCKS = {
    dtype.word: dtype
    for dtype in GGML_TYPES.values()
    if isinstance(dtype, BlockType) and dtype.code is not None
}
SIZE = 32
COUNT = 300 * SIZE  # several chunks of the kernel, and a part of one
NONE = Counts()


@pytest.fixture(params=oracle.paths(), autouse=True)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with oracle.on_path(request.param):
        yield request.param


def cast(data: bytes, source: DType, target: DType, count: int) -> tuple[bytes, Counts]:
    out = bytearray(target.nbytes(count))
    counts = kernel.weighted_sum(out, target, [data], [source], [1.0], count)
    return bytes(out), counts


def by_gguf(values: Array, word: str) -> Array:
    with np.errstate(all="ignore"):
        raw: Array = gguf.quants.quantize(values, gguf.GGMLQuantizationType[word.upper()])
    return raw.reshape(-1, BLOCKS[word].block_bytes)


def read_by_gguf(raw: bytes, word: str) -> Array:
    with np.errstate(all="ignore"):
        values: Array = gguf.quants.dequantize(
            np.frombuffer(raw, "u1"), gguf.GGMLQuantizationType[word.upper()]
        )
    return values.ravel()


def normal(rng: np.random.Generator) -> Array:
    return rng.standard_normal(COUNT) * 0.02


def any_scale(rng: np.random.Generator) -> Array:
    scales = np.exp2(rng.integers(-126, 12, COUNT // SIZE))
    values: Array = rng.standard_normal(COUNT) * np.repeat(scales, SIZE)
    return values


def constant(rng: np.random.Generator) -> Array:
    return np.repeat(rng.standard_normal(COUNT // SIZE), SIZE)


def zeros(rng: np.random.Generator) -> Array:
    return np.repeat(rng.choice([0.0, -0.0], COUNT // SIZE), SIZE)


def ties(rng: np.random.Generator) -> Array:
    """Return halves, in blocks whose scale is 1 or -1 in one of the types."""
    heads = np.resize([127, -8, 8, -16, 16], COUNT // SIZE)
    halves = np.rint(rng.uniform(-2, 2, (SIZE, COUNT // SIZE)) * abs(heads)) / 2
    halves[0] = heads
    values: Array = halves.T.ravel()
    return values


def spans_of_ties(rng: np.random.Generator) -> Array:
    """Return halves between 0 and the greatest number of a type with a least value."""
    ends = np.resize([15, 31], COUNT // SIZE)
    halves = np.rint(rng.uniform(0, 2, (SIZE, COUNT // SIZE)) * ends) / 2
    halves[:2] = np.stack([0 * ends, ends])
    halves += rng.integers(-9, 9, COUNT // SIZE)
    values: Array = halves.T.ravel()
    return values


def rivals(rng: np.random.Generator) -> Array:
    """Return blocks in which many elements have the greatest magnitude, of both signs."""
    return rng.choice([-3.0, 3.0, 1.0, 0.0], COUNT)


def huge(rng: np.random.Generator) -> Array:
    return rng.standard_normal(COUNT) * 1e6


def at_the_end_of_fp32(rng: np.random.Generator) -> Array:
    return rng.uniform(-1, 1, COUNT) * 3.4e38


DATA = (normal, any_scale, constant, zeros, ties, spans_of_ties, rivals, huge, at_the_end_of_fp32)


@pytest.mark.parametrize("word", WRITTEN)
@pytest.mark.parametrize("data", DATA)
def test_numbers_become_the_blocks_that_gguf_makes(
    word: str, data: Callable[[np.random.Generator], Array]
) -> None:
    values = data(np.random.default_rng(0)).astype("<f4")
    found, counts = cast(values.tobytes(), FP32, BLOCKS[word], COUNT)
    wanted = by_gguf(values, word)
    np.testing.assert_array_equal(np.frombuffer(found, "u1").reshape(wanted.shape), wanted)
    assert counts == Counts(overflowed=SIZE * int(beyond_fp16(wanted, word).sum()))


def beyond_fp16(raw: Array, word: str) -> Array:
    heads = np.ascontiguousarray(raw[:, : 4 if word.endswith("_1") else 2]).view("<f2")
    beyond: Array = ~np.isfinite(heads).all(axis=1)
    return beyond


@pytest.mark.parametrize("word", WRITTEN)
def test_scales_without_an_inverse_give_zeros(word: str) -> None:
    rng = np.random.default_rng(1)
    tops = rng.integers(1, 8 << 23, (COUNT // SIZE, 1))  # of subnormal and the next numbers
    bits = rng.integers(0, tops, (COUNT // SIZE, SIZE)) | rng.choice([0, 1 << 31], (1, SIZE))
    values = bits.astype("<u4").view("<f4").ravel()
    found, counts = cast(values.tobytes(), FP32, BLOCKS[word], COUNT)
    raw, wanted = (
        np.frombuffer(found, "u1").reshape(-1, BLOCKS[word].block_bytes),
        by_gguf(values, word),
    )
    assert counts == NONE
    usable = usable_scales(values.reshape(-1, SIZE), word)
    assert usable.any()
    assert not usable.all()
    np.testing.assert_array_equal(raw[usable], wanted[usable])
    head = 4 if word.endswith("_1") else 2
    np.testing.assert_array_equal(raw[:, :head], wanted[:, :head])
    assert not raw[~usable, head:].any()


def usable_scales(rows: Array, word: str) -> Array:
    span = rows.max(1) - rows.min(1) if word.endswith("_1") else abs(rows).max(1)
    parts = {"q4_0": 8, "q4_1": 15, "q5_0": 16, "q5_1": 31, "q8_0": 127}[word]
    with np.errstate(all="ignore"):
        usable: Array = np.isfinite(1 / (span / np.float32(parts)))
    return usable


@pytest.mark.parametrize("word", BLOCKS)
def test_blocks_become_the_numbers_that_gguf_reads(word: str) -> None:
    dtype = BLOCKS[word]
    count = 300 * dtype.elements
    raw = np.random.default_rng(2).integers(0, 256, dtype.nbytes(count), "u1").tobytes()
    found, counts = cast(raw, dtype, FP32, count)
    values, wanted = np.frombuffer(found, "<f4"), read_by_gguf(raw, word)
    is_nan = np.isnan(wanted)
    np.testing.assert_array_equal(values[~is_nan].view("u4"), wanted[~is_nan].view("u4"))
    assert set(values[is_nan].view("u4").tolist()) <= {0x7FC00000}
    assert counts == Counts(nan_out=int(is_nan.sum()), inf_in=int(np.isinf(wanted).sum()))


@pytest.mark.parametrize("word", BLOCKS)
@pytest.mark.parametrize("target", [FP64, FP16, BF16, INT64])
def test_blocks_reach_every_other_format_by_way_of_fp32(word: str, target: DType) -> None:
    dtype = BLOCKS[word]
    count = 9 * dtype.elements
    raw = np.random.default_rng(3).integers(0, 256, dtype.nbytes(count), "u1").tobytes()
    values = np.frombuffer(cast(raw, dtype, FP32, count)[0], "<u4")
    wanted, wanted_counts = oracle.compute(target.word, [values], ["fp32"], [1.0])
    found, counts = cast(raw, dtype, target, count)
    ordinary = np.repeat(~np.isnan(values.view("<f4")), target.bits // 8)
    np.testing.assert_array_equal(np.frombuffer(found, "u1")[ordinary], wanted.view("u1")[ordinary])
    assert counts == wanted_counts


@pytest.mark.parametrize("word", BLOCKS)
def test_equal_block_types_are_copied_to_the_bit(word: str) -> None:
    dtype = BLOCKS[word]
    count = 40 * dtype.elements
    raw = np.random.default_rng(4).integers(0, 256, dtype.nbytes(count), "u1").tobytes()
    assert cast(raw, dtype, dtype, count)[0] == raw


@pytest.mark.parametrize("word", WRITTEN)
@pytest.mark.parametrize("source", ["fp64", "fp16", "bf16", "fp8_e4m3", "int8"])
def test_every_format_becomes_blocks_by_way_of_fp32(word: str, source: str) -> None:
    numbers = (np.random.default_rng(5).standard_normal(10 * SIZE) * 20).astype("<f4").view("<u4")
    raw = oracle.convert(numbers, "fp32", source)
    values = oracle.convert(raw, source, "fp32").view("<f4")
    found, counts = cast(raw.tobytes(), WORDS[source], BLOCKS[word], len(raw))
    assert found == by_gguf(values, word).tobytes()
    assert counts == NONE


def test_blocks_are_summed_as_the_numbers_that_they_are() -> None:
    rng = np.random.default_rng(6)
    count = 20 * 256
    inputs = [
        cast(rng.standard_normal(count).astype("<f4").tobytes(), FP32, WRITTEN[word], count)[0]
        for word in ("q8_0", "q4_1")
    ]
    dtypes = [WRITTEN["q8_0"], WRITTEN["q4_1"]]
    x, y = (read_by_gguf(raw, dtype.word) for raw, dtype in zip(inputs, dtypes, strict=True))
    out = bytearray(WRITTEN["q5_0"].nbytes(count))
    counts = kernel.weighted_sum(out, WRITTEN["q5_0"], inputs, dtypes, [0.25, 0.75], count)
    total = x * np.float32(0.25) + y * np.float32(0.75)
    assert bytes(out) == by_gguf(total, "q5_0").tobytes()
    assert counts == NONE


@pytest.mark.parametrize("word", WRITTEN)
def test_nan_becomes_zero_and_inf_the_greatest_number_beside_it(word: str) -> None:
    values = np.random.default_rng(7).standard_normal(4 * SIZE).astype("<f4").reshape(4, SIZE)
    wanted = values.copy()
    values[0, 3], wanted[0, 3] = np.nan, 0
    values[1, 5], wanted[1, 5] = -np.inf, -np.delete(abs(wanted[1]), 5).max()
    values[2], wanted[2] = np.inf, 0
    found, counts = cast(values.tobytes(), FP32, BLOCKS[word], values.size)
    assert found == by_gguf(wanted, word).tobytes()
    assert counts == Counts(nan_out=1, inf_in=1 + SIZE)


@pytest.mark.parametrize("word", WRITTEN)
def test_a_scale_beyond_fp16_takes_the_finite_numbers_of_its_block_along(word: str) -> None:
    values = np.ones((3, SIZE), "<f4")
    values[1] = 3e38 * np.linspace(-0.5, 0.5, SIZE)
    values[1, 4:6] = np.nan, np.inf
    found, counts = cast(values.tobytes(), FP32, BLOCKS[word], values.size)
    assert counts == Counts(nan_out=1, inf_in=1, overflowed=SIZE - 2)
    back, again = cast(found, BLOCKS[word], FP32, values.size)
    rows = np.frombuffer(back, "<f4").reshape(3, SIZE)
    np.testing.assert_allclose(rows[[0, 2]], 1, rtol=1e-3)
    assert not np.isfinite(rows[1]).any()
    assert again.nan_out + again.inf_in == SIZE


@pytest.mark.parametrize(("word", "number"), [("q4_1", 1e5), ("q5_1", -1e5)])
def test_a_least_value_beyond_fp16_counts_too(word: str, number: float) -> None:
    values = np.full(2 * SIZE, number, "<f4")
    values[:SIZE] = 1
    assert cast(values.tobytes(), FP32, BLOCKS[word], 2 * SIZE)[1] == Counts(overflowed=SIZE)


@pytest.mark.parametrize("word", BLOCKS)
@pytest.mark.parametrize("shift", [1, 3])
def test_blocks_may_start_at_any_byte_with_nothing_beside_them_touched(
    word: str, shift: int
) -> None:
    dtype = BLOCKS[word]
    count = 11 * dtype.elements
    raw = np.random.default_rng(8).integers(0, 256, dtype.nbytes(count), "u1").tobytes()
    target = BLOCKS[word] if word in WRITTEN else FP16
    size = target.nbytes(count)
    data, out = memoryview(b"?" * shift + raw), bytearray(b"#" * (size + 2 * shift))
    kernel.weighted_sum(
        memoryview(out)[shift : shift + size], target, [data[shift:]], [dtype], [0.5], count
    )
    aligned = bytearray(size)
    kernel.weighted_sum(aligned, target, [raw], [dtype], [0.5], count)
    assert out == b"#" * shift + aligned + b"#" * shift


@pytest.mark.parametrize(
    ("target", "source", "count", "sizes"),
    [
        ("q8_0", "fp32", 31, (34, 124)),
        ("q8_0", "fp32", 32, (33, 128)),
        ("q8_0", "fp32", 64, (34, 256)),
        ("fp32", "q4_k", 128, (512, 72)),
        ("fp32", "q4_k", 256, (1024, 143)),
        ("q4_k", "fp32", 256, (144, 1024)),  # is only read
        ("q6_k", "q4_k", 256, (210, 144)),
        ("iq2_xs", "fp32", 256, (74, 1024)),  # nothing at all
    ],
)
def test_what_is_no_whole_block_or_cannot_be_written_is_refused(
    target: str, source: str, count: int, sizes: tuple[int, int]
) -> None:
    words = {**WORDS, **{d.word: d for d in GGML_TYPES.values()}}
    out, data = bytearray(sizes[0]), bytes(sizes[1])
    with pytest.raises(ValueError):
        kernel.weighted_sum(out, words[target], [data], [words[source]], [1.0], count)


def test_only_copies_of_what_is_only_read_are_written() -> None:
    dtype = BLOCKS["q4_k"]
    with pytest.raises(ValueError):
        kernel.weighted_sum(bytearray(144), dtype, [bytes(144)], [dtype], [0.5], 256)


def test_no_block_is_nothing() -> None:
    assert cast(b"", FP32, WRITTEN["q8_0"], 0) == (b"", NONE)
    assert cast(b"", BLOCKS["q6_k"], FP16, 0) == (b"", NONE)
