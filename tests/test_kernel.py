"""Conversions, bit for bit, on every path of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import kernel_oracle as oracle
from kanna import kernel
from kanna.dtypes import WORDS

Array = oracle.Array
SMALL_FLOATS = ("fp16", "bf16", "fp8_e4m3", "fp8_e5m2")
# 26 is the number for a release: one pattern in 64 of all that fp32 has.
PATTERNS = 2 ** int(os.environ.get("KANNA_TEST_LOG2_PATTERNS", "22"))


@pytest.fixture(params=oracle.paths(), autouse=True)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with oracle.on_path(request.param):
        yield request.param


def by_torch(raw: Array, source: str, target: str) -> Array:
    """Convert with ``.to()``: narrow floats by way of fp32, which holds them all."""
    dtype, wanted = (getattr(torch, str(WORDS[word].torch)) for word in (source, target))
    tensor = torch.from_numpy(
        raw.view(raw.dtype.str.replace("u", "i") if raw.itemsize > 1 else "u1")
    ).view(dtype)
    if source != target and target != "fp64":
        tensor = tensor.to(torch.float32)
    result: Array = tensor.to(wanted).contiguous().view(torch.uint8).numpy()
    return result.view(oracle.raw_dtype(target))


def assert_same_bits(found: Array, wanted: Array, word: str) -> None:
    different = np.flatnonzero(found != wanted)
    if not _torch_has_vector_nan():
        different = different[~np.isnan(oracle.values(wanted[different], word))]
    assert not len(different), [(int(i), hex(found[i]), hex(wanted[i])) for i in different[:5]]


def _torch_has_vector_nan() -> bool:
    """Tell whether torch keeps NaN's bits here as it does wherever AVX2 is; elsewhere they vary."""
    return torch.backends.cpu.get_cpu_capability() in {"AVX2", "AVX512"}


def fp32_patterns(count: int) -> Array:
    """Return `count` patterns spread evenly over all of fp32, their low bits random."""
    step = 2**32 // count
    low = np.random.default_rng(0).integers(0, step, count, dtype=np.uint64)
    return (np.arange(count, dtype=np.uint64) * step + low).astype("<u4")


def near_ties(word: str) -> Array:
    """Return the fp32 patterns at, just below and just above everything that rounding turns on."""
    numbers = np.unique(np.abs(oracle._finite(word)))
    turns = np.concatenate([numbers[:-1], (numbers[1:] + numbers[:-1]) / 2]).astype("<f4")
    bits = turns[turns > 0].view("<u4")
    positive = np.concatenate([bits - 1, bits, bits + 1]).astype("<u4")
    return np.concatenate([positive, positive | np.uint32(0x80000000)])


@pytest.mark.parametrize("target", oracle.FLOATS)
@pytest.mark.parametrize("source", SMALL_FLOATS)
def test_every_pattern_of_a_small_float_converts_as_in_torch(source: str, target: str) -> None:
    raw = oracle.every_pattern(source)
    assert_same_bits(oracle.convert(raw, source, target), by_torch(raw, source, target), target)


@pytest.mark.parametrize("target", oracle.ALL)
@pytest.mark.parametrize("source", [*SMALL_FLOATS, "int16", "int8", "uint8", "bool"])
def test_every_pattern_of_a_small_format_gives_the_nearest_number(source: str, target: str) -> None:
    raw = oracle.every_pattern(source)
    found, counts = oracle.compute(target, [raw], [source], [1.0])
    wanted, wanted_counts = oracle.expected(target, [raw], [source], [1.0])
    if target in oracle.FLOATS:
        is_nan = np.isnan(oracle.values(found, target))
        assert (is_nan == np.isnan(oracle.values(wanted, target))).all()
        found, wanted = found[~is_nan], wanted[~is_nan]
    if source != target:
        np.testing.assert_array_equal(found, wanted)
    assert counts == wanted_counts


@pytest.mark.parametrize("target", SMALL_FLOATS)
def test_fp32_patterns_convert_as_in_torch(target: str) -> None:
    raw = fp32_patterns(PATTERNS)
    assert_same_bits(oracle.convert(raw, "fp32", target), by_torch(raw, "fp32", target), target)


@pytest.mark.parametrize("target", SMALL_FLOATS)
def test_ties_and_their_neighbours_go_to_the_nearest_even_number(target: str) -> None:
    raw = near_ties(target)
    np.testing.assert_array_equal(
        oracle.convert(raw, "fp32", target), oracle.rounded(raw.view("<f4"), target)
    )


@pytest.mark.parametrize("target", ["fp32", *SMALL_FLOATS])
def test_fp64_converts_as_in_torch(target: str) -> None:
    rng = np.random.default_rng(1)
    anything = rng.integers(0, 2**64, 2**16, dtype=np.uint64)
    usual = (rng.standard_normal(2**16) * np.exp2(rng.integers(-40, 40, 2**16))).view("<u8")
    ties = near_ties("fp8_e4m3" if target == "fp32" else target).view("<f4").astype("<f8")
    nudged = np.nextafter(ties, np.inf).view("<u8")
    raw = np.concatenate([anything, usual, ties.view("<u8"), nudged])
    assert_same_bits(oracle.convert(raw, "fp64", target), by_torch(raw, "fp64", target), target)


@pytest.mark.parametrize("target", oracle.ALL)
@pytest.mark.parametrize("source", ["int64", "int32", "fp64", "fp32"])
def test_wide_formats_reach_every_other(source: str, target: str) -> None:
    edges = [
        2.0**k + d for k in (7, 8, 15, 16, 24, 31, 32, 53, 62, 63) for d in (-1, -0.5, 0, 0.5, 1)
    ]
    numbers = np.array([0, *edges, *(-x for x in edges)])
    if source in oracle.INTEGERS:
        limits = np.iinfo(source)
        inside = numbers[(numbers >= limits.min) & (numbers < float(limits.max))]
        raw = np.append(inside.astype(source), [limits.max, limits.max - 1]).astype(source)
    else:
        raw = np.append(numbers, [np.inf, -np.inf, 1e-9]).astype("f8" if source == "fp64" else "f4")
    bits = raw.view(oracle.raw_dtype(source))
    found, counts = oracle.compute(target, [bits], [source], [1.0])
    wanted, wanted_counts = oracle.expected(target, [bits], [source], [1.0])
    if source == "int64" == target:
        wanted = bits
    np.testing.assert_array_equal(found, wanted)
    assert counts == wanted_counts


@pytest.mark.parametrize(
    ("target", "number", "bits"),
    [
        ("fp16", 1 + 2**-11, 0x3C00),
        ("fp16", 1 + 3 * 2**-11, 0x3C02),
        ("fp16", 65519.996, 0x7BFF),
        ("fp16", 65520.0, 0x7C00),
        ("fp16", 2.0**-24, 0x0001),
        ("fp16", 2.0**-25, 0x0000),
        ("fp16", -0.0, 0x8000),
        ("bf16", 1 + 2**-8, 0x3F80),
        ("bf16", 3.4e38, 0x7F80),
        ("bf16", np.nan, 0xFFFF),
        ("fp8_e4m3", 448.0, 0x7E),
        ("fp8_e4m3", 464.0, 0x7E),
        ("fp8_e4m3", 465.0, 0x7E),
        ("fp8_e4m3", -np.inf, 0xFE),
        ("fp8_e4m3", np.nan, 0x7F),
        ("fp8_e4m3", 2.0**-9, 0x01),
        ("fp8_e5m2", 57344.0, 0x7B),
        ("fp8_e5m2", 61440.0, 0x7C),
        ("int64", 1.9, 1),
        ("int64", -1.9, 2**64 - 1),
        ("int64", np.nan, 0),
        ("int64", 1e30, 2**63 - 1),
        ("uint8", -0.9, 0),
        ("uint8", -1.0, 0),
        ("uint8", 300.7, 255),
        ("bool", 1e-30, 1),
        ("bool", np.nan, 1),
    ],
)
def test_known_numbers_have_known_bits(target: str, number: float, bits: int) -> None:
    for source, dtype in (("fp32", "<f4"), ("fp64", "<f8")):
        raw = np.array([number], dtype).view(oracle.raw_dtype(source))
        assert oracle.convert(raw, source, target).tolist() == [bits]


@pytest.mark.parametrize("word", oracle.ALL)
def test_equal_dtypes_are_copied_to_the_bit(word: str) -> None:
    raw = np.random.default_rng(2).integers(0, 256, 8 * 1500, dtype=np.uint8)
    raw = raw.view(oracle.raw_dtype(word))
    np.testing.assert_array_equal(oracle.convert(raw, word, word), raw)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 2047, 2048, 2049, 4100])
@pytest.mark.parametrize(
    ("source", "target"), [("fp32", "fp16"), ("fp16", "fp32"), ("bf16", "int64")]
)
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_any_length_at_any_byte_and_nothing_beside_it(
    count: int, source: str, target: str, shift: int
) -> None:
    numbers = np.random.default_rng(3).standard_normal(count).astype("<f4").view("<u4")
    raw = oracle.convert(numbers, "fp32", source)
    size = WORDS[target].nbytes(count)
    data, out = memoryview(b"?" * shift + raw.tobytes()), bytearray(b"#" * (size + 2 * shift))
    kernel.weighted_sum(
        memoryview(out)[shift : shift + size],
        WORDS[target],
        [data[shift:]],
        [WORDS[source]],
        [1.0],
        count,
    )
    wanted: Any = oracle.rounded(oracle.values(raw, source), target).tobytes() if count else b""
    assert bytes(out) == b"#" * shift + wanted + b"#" * shift
