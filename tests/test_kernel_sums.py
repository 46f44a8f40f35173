"""Weighted sums, what they count, and what the kernel refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kernel_oracle as oracle
from kanna import kernel
from kanna.dtypes import FP16, FP32, UINT8, WORDS
from kanna.errors import MissingExtra
from kanna.kernel import Counts

Array = oracle.Array


@pytest.fixture(params=oracle.paths(), autouse=True, scope="module")
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with oracle.on_path(request.param):
        yield request.param


def weights_of_a_model(word: str, seed: int, count: int = 5000) -> Array:
    numbers = np.random.default_rng(seed).standard_normal(count) * 0.1
    return oracle.rounded(numbers.astype("<f4"), word)


@pytest.mark.parametrize("target", ["fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2"])
@pytest.mark.parametrize("source", ["fp32", "fp16", "bf16", "fp8_e4m3"])
@pytest.mark.parametrize("weights", [(0.3, 0.7), (1.0, 1.0, -1.0), (0.5,)])
def test_sums_are_made_in_fp32_in_order_as_torch_makes_them(
    source: str, target: str, weights: tuple[float, ...]
) -> None:
    raws = [weights_of_a_model(source, seed) for seed in range(len(weights))]
    tensors = [torch.from_numpy(oracle.values(raw, source).astype("<f4")) for raw in raws]
    total = tensors[0] * weights[0]
    for tensor, weight in zip(tensors[1:], weights[1:], strict=True):
        total = total + tensor * weight
    found, counts = oracle.compute(target, raws, [source] * len(raws), list(weights))
    wanted = total.to(getattr(torch, str(WORDS[target].torch))).view(torch.uint8).numpy()
    np.testing.assert_array_equal(found, wanted.view(oracle.raw_dtype(target)))
    assert counts == Counts()


def test_double_sums_in_fp64() -> None:
    one, tiny = (np.array([x], "<f4").view("<u4") for x in (1.0, 2.0**-30))
    terms, words, weights = [one, tiny, one], ["fp32"] * 3, [1.0, 1.0, -1.0]
    in_fp32, _ = oracle.compute("fp32", terms, words, weights)
    in_fp64, _ = oracle.compute("fp32", terms, words, weights, double=True)
    assert in_fp32.view("<f4").tolist() == [0.0]
    assert in_fp64.view("<f4").tolist() == [2.0**-30]


@settings(deadline=None, max_examples=300)
@given(
    target=st.sampled_from(oracle.ALL),
    words=st.lists(st.sampled_from(oracle.ALL), min_size=1, max_size=4),
    weights=st.lists(
        st.sampled_from([1.0, -1.0, 0.0, 0.5, 3.0, 1e-3, 1e30, float("inf")])
        | st.floats(allow_nan=False, allow_infinity=False, width=32),
        min_size=4,
        max_size=4,
    ),
    count=st.integers(1, 40),
    double=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_any_sum_of_any_bits_is_what_the_tables_say(
    target: str, words: list[str], weights: list[float], count: int, *, double: bool, seed: int
) -> None:
    weights = weights[: len(words)]
    rng = np.random.default_rng(seed)
    raws = [rng.integers(0, 256, 8 * count, "u1").view(oracle.raw_dtype(w))[:count] for w in words]
    found, counts = oracle.compute(target, raws, words, weights, double=double)
    wanted, wanted_counts = oracle.expected(target, raws, words, weights, double=double)
    if weights == [1.0]:  # a conversion, which keeps NaN's own bits
        ordinary = ~np.isnan(oracle.values(raws[0], words[0]))
        found, wanted = found[ordinary], wanted[ordinary]
    if weights != [1.0] or words != [target]:
        np.testing.assert_array_equal(found, wanted)
    assert counts == wanted_counts


@pytest.mark.parametrize("count", [1, 5, 2048, 5000])
def test_accidents_are_counted_wherever_they_are(count: int) -> None:
    first = np.full(count, 1.0, "<f4")
    second = np.full(count, 1.0, "<f4")
    for place, (a, b) in {
        0: (np.inf, -np.inf),  # NaN made; Inf in
        count // 2: (60000.0, 60000.0),  # overflow
        count - 1: (np.nan, np.inf),  # NaN kept; Inf in
    }.items():
        first[place], second[place] = a, b
    raws = [first.view("<u4"), second.view("<u4")]
    _, counts = oracle.compute("fp16", raws, ["fp32", "fp32"], [1.0, 1.0])
    assert counts == {1: Counts(1, 0, 0, 1)}.get(count, Counts(2, 1, 1, 2))


@pytest.mark.parametrize(
    ("target", "last", "first"),
    [
        ("fp32", 2.0**128 - 2.0**104, 2.0**128 - 2.0**103),
        ("fp16", np.nextafter(np.float32(65520), np.float32(0)), 65520),
        ("bf16", np.nextafter(np.float32(255.5 * 2.0**120), np.float32(0)), 255.5 * 2.0**120),
        ("fp8_e4m3", 464, np.nextafter(np.float32(464), np.float32(500))),
        ("fp8_e5m2", np.nextafter(np.float32(61440), np.float32(0)), 61440),
        ("int64", -(2.0**63), 2.0**63),
        ("int32", 2147483647.5, 2147483648),
        ("int32", -2147483648.5, -2147483649),
        ("int16", 32767.5, 32768),
        ("int8", -128.5, -129),
        ("uint8", -0.5, -1),
        ("uint8", 255.5, 256),
        ("bool", 1e300, np.inf),
    ],
)
def test_each_format_overflows_where_it_ends(target: str, last: float, first: float) -> None:
    edges = np.array([last, first, -0.0]).view("<u8")
    _, counts = oracle.compute(target, [edges], ["fp64"], [1.0])
    assert counts == (Counts(inf_in=1) if target == "bool" else Counts(overflowed=1))


def test_counts_add_up() -> None:
    assert Counts(1, 2, 3, 4) + Counts(10, 20, 30, 40) == Counts(11, 22, 33, 44)


def test_lost_numbers_are_those_that_overflowed_and_those_that_became_nan() -> None:
    assert Counts(nan_out=9, nan_made=2, overflowed=3, inf_in=9).lost == 5


GOOD = {
    "out": bytearray(4), "out_dtype": FP16, "inputs": [bytes(8)], "in_dtypes": [FP32],
    "weights": [1.0], "count": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (ValueError, {"count": 1}),
        (ValueError, {"count": 3}),
        (ValueError, {"count": -1}),
        (ValueError, {"count": 2**61, "out": bytearray(0)}),
        (ValueError, {"count": 0}),
        ((ValueError, OverflowError), {"count": 2**70}),
        (ValueError, {"out": bytearray(5)}),
        (ValueError, {"inputs": [bytes(7)]}),
        (ValueError, {"inputs": []}),
        (ValueError, {"inputs": [bytes(8)] * 2}),
        (ValueError, {"in_dtypes": [FP32, FP32]}),
        (ValueError, {"weights": []}),
        (ValueError, {"inputs": [], "in_dtypes": [], "weights": []}),
        (ValueError, {"out_dtype": WORDS["fp4"]}),
        (ValueError, {"in_dtypes": [WORDS["complex64"]]}),
        (TypeError, {"out": bytes(4)}),
        (TypeError, {"out": None}),
        (TypeError, {"inputs": ["no bytes"]}),
        (TypeError, {"weights": ["heavy"]}),
        (TypeError, {"count": 2.0}),
        (BufferError, {"inputs": [memoryview(bytes(16))[::2]]}),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(
    error: type[Exception] | tuple[type[Exception], ...], wrong: dict[str, object]
) -> None:
    arguments = {**GOOD, "out": bytearray(b"#" * 4), **wrong}
    with pytest.raises(error):
        kernel.weighted_sum(**arguments)  # type: ignore[arg-type] # on purpose
    assert bytes(arguments["out"] or b"").strip(b"#\0") == b""  # type: ignore[call-overload] # bytes


def test_an_output_over_its_own_input_is_harmless() -> None:
    raw = weights_of_a_model("fp32", 0)
    shared = bytearray(raw.tobytes())
    out = memoryview(shared)[: 2 * len(raw)]
    kernel.weighted_sum(out, FP16, [memoryview(shared)], [FP32], [1.0], len(raw))
    assert len(shared) == 4 * len(raw)


def test_torch_stays_away_as_long_as_the_extension_is_there() -> None:
    code = (
        "import sys; from kanna import kernel; from kanna.dtypes import UINT8\n"
        "before = 'torch' in sys.modules\n"
        "kernel.weighted_sum(bytearray(1), UINT8, [b'1'], [UINT8], [1.0], 1)\n"
        "print(before, 'torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["False", str(os.environ.get("KANNA_KERNEL") == "torch")]


def test_without_extension_and_torch_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "_has_extension", lambda: False)
    monkeypatch.setattr(kernel, "find_spec", lambda _: None)
    kernel.backend.cache_clear()
    try:
        with pytest.raises(MissingExtra) as caught:
            kernel.weighted_sum(bytearray(1), UINT8, [b"1"], [UINT8], [1.0], 1)
    finally:
        kernel.backend.cache_clear()
    assert "kanna[torch]" in caught.value.hint
