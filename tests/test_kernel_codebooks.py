"""Codes and magnitudes, bit for bit those of bitsandbytes on the CPU, on every path."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import kernel_oracle as oracle
from kanna import codebooks, kernel
from kanna.dtypes import BF16, FP8_E4M3, FP16, FP32, FP64, INT64, UINT8, WORDS, DType
from kanna.formats.ggml_types import WRITTEN
from kanna.kernel import Counts

Array = oracle.Array

TORCH = {FP32: torch.float32, FP16: torch.float16, BF16: torch.bfloat16}
KINDS = tuple(codebooks.FOUR_BIT)


@pytest.fixture(params=oracle.paths(), autouse=True)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with oracle.on_path(request.param):
        yield request.param


@pytest.fixture(scope="module")
def bnb() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bitsandbytes import functional
    return functional


def raw_of(tensor: torch.Tensor) -> bytes:
    return bytes(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())


def pack(
    bits: int, data: bytes, dtype: DType, count: int, table: bytes, block: int
) -> tuple[bytes, bytes, Counts]:
    packed = bytearray((count * bits + 7) // 8)
    absmax = bytearray(-(-count // block) * 4)
    function = kernel.pack4 if bits == 4 else kernel.pack8
    counts = function(packed, absmax, data, dtype, count, table=table, block=block)
    return bytes(packed), bytes(absmax), counts


def unpack(
    bits: int, packed: bytes, absmax: bytes, dtype: DType, count: int, table: bytes, block: int
) -> tuple[bytes, Counts]:
    out = bytearray(dtype.nbytes(count))
    function = kernel.unpack4 if bits == 4 else kernel.unpack8
    counts = function(out, dtype, packed, absmax, count, table=table, block=block)
    return bytes(out), counts


def numbers(count: int, dtype: torch.dtype, *, seed: int = 0) -> torch.Tensor:
    """Return weights of all magnitudes, some of them at and beside what rounding turns on."""
    rng = np.random.default_rng(seed)
    scales = np.repeat(np.exp2(rng.integers(-12, 6, -(-count // 64))), 64)[:count]
    values = rng.standard_normal(count) * scales
    values[::97] = 0
    return torch.from_numpy(values).to(dtype)


def near_limits(kind: str) -> torch.Tensor:
    """Return blocks of 64 with absmax 1, full of middles between entries and their neighbours."""
    table = np.sort(np.frombuffer(codebooks.FOUR_BIT[kind], "<f4"))
    middles = (table[1:] + table[:-1]) / np.float32(2)
    around = [middles, np.nextafter(middles, np.float32(2)), np.nextafter(middles, np.float32(-2))]
    turns = np.concatenate([*around, table, [-0.0, 1e-38, -1e-45]]).astype("<f4")
    return torch.from_numpy(np.concatenate([[1.0], turns[:63]]).astype("<f4"))


def test_tables_are_those_of_bitsandbytes(bnb: Any) -> None:
    for kind, table in codebooks.FOUR_BIT.items():
        assert table == raw_of(bnb.get_4bit_type(kind, device="cpu"))
    assert raw_of(bnb.create_dynamic_map()) == codebooks.DYNAMIC


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", TORCH)
@pytest.mark.parametrize("block", [32, 64, 128, 256, 4096])
@pytest.mark.parametrize("count", [4096 * 5, 4096 * 3 + 37, 20, 1])
def test_four_bits_are_packed_as_by_bitsandbytes(
    bnb: Any, kind: str, dtype: DType, block: int, count: int
) -> None:
    tensor = numbers(count, TORCH[dtype])
    wanted, state = bnb.quantize_4bit(tensor, blocksize=block, quant_type=kind)
    table = codebooks.FOUR_BIT[kind]
    packed, absmax, counts = pack(4, raw_of(tensor), dtype, count, table, block)
    assert packed == raw_of(wanted)
    assert absmax == raw_of(state.absmax)
    assert counts == Counts()


@pytest.mark.parametrize("kind", KINDS)
def test_ties_go_where_bitsandbytes_puts_them(bnb: Any, kind: str) -> None:
    tensor = near_limits(kind)
    for values in (tensor, -tensor, tensor * 3, tensor * 2**-100, tensor * 1e30, tensor * 1e-39):
        wanted, state = bnb.quantize_4bit(values, blocksize=64, quant_type=kind)
        table = codebooks.FOUR_BIT[kind]
        packed, absmax, _ = pack(4, raw_of(values), FP32, 64, table, 64)
        assert packed == raw_of(wanted)
        assert absmax == raw_of(state.absmax)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [64, 40, 64 + 40])
@pytest.mark.parametrize("number", [0.0, -0.0, 1e-45, 1e-39, 3e38, np.nan, np.inf, -np.inf])
def test_odd_blocks_are_packed_as_by_bitsandbytes(
    bnb: Any, kind: str, count: int, number: float
) -> None:
    tensor = torch.zeros(count)
    tensor[3::7] = number
    wanted, state = bnb.quantize_4bit(tensor, blocksize=64, quant_type=kind)
    table = codebooks.FOUR_BIT[kind]
    packed, absmax, counts = pack(4, raw_of(tensor), FP32, count, table, 64)
    assert packed == raw_of(wanted)
    np.testing.assert_array_equal(np.frombuffer(absmax, "<f4"), state.absmax.numpy())
    result = bnb.dequantize_4bit(wanted, state)
    became_nan = result.isnan().flatten() & ~tensor.isnan()
    assert counts == Counts(
        nan_out=int(result.isnan().sum()),
        nan_made=int(became_nan.sum()),
        inf_in=int(tensor.isinf().sum()),
    )


@pytest.mark.usefixtures("bnb")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", TORCH)
@pytest.mark.parametrize(("block", "count"), [(64, 64 * 150), (256, 256 * 9 + 78), (64, 10)])
def test_four_bits_are_unpacked_as_by_bitsandbytes(
    kind: str, dtype: DType, block: int, count: int
) -> None:
    rng = np.random.default_rng(1)
    packed = rng.integers(0, 256, count // 2, "u1")
    absmax = np.exp2(rng.uniform(-20, 14, -(-count // block))).astype("<f4")
    wanted = torch.ops.bitsandbytes.dequantize_4bit.default(
        torch.from_numpy(packed).view(-1, 1), torch.from_numpy(absmax), block, kind,
        (1, count), TORCH[dtype],
    )  # fmt: skip
    table = codebooks.FOUR_BIT[kind]
    found, counts = unpack(4, packed.tobytes(), absmax.tobytes(), dtype, count, table, block)
    values = torch.frombuffer(bytearray(found), dtype=TORCH[dtype])
    assert torch.equal(values, wanted.flatten())  # in which -0 is 0: bitsandbytes has it both ways
    assert counts == Counts()


@pytest.mark.parametrize("dtype", TORCH)
@pytest.mark.parametrize(("block", "count"), [(256, 256 * 40), (256, 1000), (64, 130), (256, 1)])
def test_eight_bits_are_packed_and_unpacked_as_by_bitsandbytes(
    bnb: Any, dtype: DType, block: int, count: int
) -> None:
    tensor = numbers(count, TORCH[dtype], seed=2)
    wanted, state = bnb.quantize_blockwise(tensor, blocksize=block)
    packed, absmax, counts = pack(8, raw_of(tensor), dtype, count, codebooks.DYNAMIC, block)
    assert packed == raw_of(wanted)
    assert absmax == raw_of(state.absmax)
    assert counts == Counts()
    found, counts = unpack(8, packed, absmax, dtype, count, codebooks.DYNAMIC, block)
    assert found == raw_of(bnb.dequantize_blockwise(wanted, state))
    assert counts == Counts()


@pytest.mark.parametrize("number", [0.0, 1e-45, 1e-39, 1e38, np.nan, np.inf, -np.inf])
def test_odd_blocks_of_eight_bits_are_as_in_bitsandbytes(bnb: Any, number: float) -> None:
    tensor = torch.zeros(300)
    tensor[3::7] = number
    wanted, state = bnb.quantize_blockwise(tensor, blocksize=256)
    packed, absmax, _ = pack(8, raw_of(tensor), FP32, 300, codebooks.DYNAMIC, 256)
    assert packed == raw_of(wanted)
    assert absmax == raw_of(state.absmax)


def test_every_step_of_eight_bits_is_that_of_bitsandbytes(bnb: Any) -> None:
    steps = torch.linspace(-1, 1, 65536 * 2 + 1, dtype=torch.float64).to(torch.float32)
    blocks = torch.cat([steps[:-1].view(-1, 128), torch.ones(1024, 128)], dim=1)
    wanted, _ = bnb.quantize_blockwise(blocks, blocksize=256)
    packed, _, _ = pack(8, raw_of(blocks), FP32, blocks.numel(), codebooks.DYNAMIC, 256)
    assert packed == raw_of(wanted)


def test_what_is_lost_in_blocks_of_eight_bits_is_counted() -> None:
    values = np.ones(300, "<f4")
    values[[5, 290]] = np.nan
    values[[7, 8]] = np.inf
    _, _, counts = pack(8, values.tobytes(), FP32, 300, codebooks.DYNAMIC, 256)
    assert counts == Counts(nan_out=2, inf_in=2, overflowed=256 - 3)


@pytest.mark.parametrize("bits", [4, 8])
def test_results_that_are_not_finite_or_too_great_are_counted(bits: int) -> None:
    table = codebooks.NF4 if bits == 4 else codebooks.DYNAMIC
    packed = b"\xff" * (256 * bits // 8)  # the last entry, which is 1
    absmax = np.array([np.nan, np.inf, 1e5, 1.0], "<f4").tobytes()
    found, counts = unpack(bits, packed, absmax, FP16, 256, table, 64)
    assert counts == Counts(nan_out=64, inf_in=64, overflowed=64)
    rows = np.frombuffer(found, "<u2").reshape(4, 64)
    assert (rows == [[0x7E00], [0x7C00], [0x7C00], [0x3C00]]).all()


@pytest.mark.parametrize("source", ["fp64", "fp8_e5m2", "int16", "bool"])
def test_other_formats_are_packed_by_way_of_fp32(source: str) -> None:
    raw = oracle.convert(numbers(640, torch.float32).numpy().view("<u4"), "fp32", source)
    singles = oracle.convert(raw, source, "fp32").tobytes()
    for bits, table in ((4, codebooks.NF4), (8, codebooks.DYNAMIC)):
        found = pack(bits, raw.tobytes(), WORDS[source], 640, table, 64)
        assert found == pack(bits, singles, FP32, 640, table, 64)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 4097])
def test_any_length_at_any_byte_and_nothing_beside_it(bits: int, count: int) -> None:
    table = codebooks.FP4 if bits == 4 else codebooks.DYNAMIC
    data = raw_of(numbers(count, torch.float32))
    packed, absmax, _ = pack(bits, data, FP32, count, table, 64)
    room = [bytearray(b"#" * (len(raw) + 2)) for raw in (packed, absmax)]
    views = [memoryview(place)[1:-1] for place in room]
    function = kernel.pack4 if bits == 4 else kernel.pack8
    shifted = memoryview(b"?" + data)[1:]
    function(
        views[0],
        views[1],
        shifted,
        FP32,
        count,
        table=memoryview(b"?" + table)[1:].tobytes(),
        block=64,
    )
    assert room == [b"#" + packed + b"#", b"#" + absmax + b"#"]
    values, _ = unpack(bits, packed, absmax, FP16, count, table, 64)
    out = bytearray(b"#" * (len(values) + 2))
    back = kernel.unpack4 if bits == 4 else kernel.unpack8
    back(memoryview(out)[1:-1], FP16, views[0], views[1], count, table=table, block=64)
    assert out == b"#" + values + b"#"


GOOD = {
    "packed": bytearray(64), "absmax": bytearray(8), "data": bytes(512), "dtype": FP32,
    "count": 128, "table": codebooks.NF4, "block": 64,
}  # fmt: skip
WRONG: list[dict[str, Any]] = [
    {"packed": bytearray(63)},
    {"absmax": bytearray(4)},
    {"data": bytes(511)},
    {"dtype": FP16},
    {"dtype": WRITTEN["q8_0"], "data": bytes(136)},
    {"count": -1},
    {"count": 2**62},
    {"table": bytes(60)},
    {"table": np.full(16, 2, "<f4").tobytes()},
    {"table": np.full(16, np.nan, "<f4").tobytes()},
    {"block": 0},
    {"block": -64},
    {"block": 63, "absmax": bytearray(12)},
    {"block": 8192, "absmax": bytearray(4)},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_together_is_refused(wrong: dict[str, Any]) -> None:
    call = {**GOOD, **wrong}
    table, block = call.pop("table"), call.pop("block")
    with pytest.raises(ValueError):
        kernel.pack4(*call.values(), table=table, block=block)


@pytest.mark.parametrize("dtype", [FP64, INT64, UINT8, WRITTEN["q8_0"]])
def test_numbers_are_unpacked_into_small_floats_only(dtype: DType) -> None:
    with pytest.raises(ValueError):
        unpack(4, bytes(64), bytes(8), dtype, 128, codebooks.NF4, 64)
    assert unpack(4, b"\x77" * 64, bytes(8), FP8_E4M3, 128, codebooks.NF4, 64)[0] == bytes(128)


def test_a_table_of_256_has_to_rise() -> None:
    table = np.frombuffer(codebooks.DYNAMIC, "<f4")[::-1].tobytes()
    with pytest.raises(ValueError):
        pack(8, bytes(512), FP32, 128, table, 64)


@pytest.mark.parametrize("entry", [1.0, -1.0, 0.5, 1.0000001, np.nan, np.inf])
@pytest.mark.parametrize(("bits", "place"), [(4, 3), (8, 0), (8, 100), (8, 255)])
def test_whether_a_table_can_be_used_is_known_before(bits: int, place: int, entry: float) -> None:
    """Files hold tables of strangers: they are refused before a number is read."""
    numbers = np.frombuffer(codebooks.NF4 if bits == 4 else codebooks.DYNAMIC, "<f4").copy()
    numbers[place] = entry
    table = numbers.tobytes()
    try:
        unpack(bits, bytes(8), bytes(4), FP32, 8 * 2 // (bits // 4), table, 16)
    except ValueError:
        assert not codebooks.is_table(table)
    else:
        assert codebooks.is_table(table)


def test_nothing_is_packed_into_what_cannot_be_written() -> None:
    with pytest.raises((TypeError, BufferError)):
        kernel.pack4(
            memoryview(bytes(64)), bytearray(8), bytes(512), FP32, 128,
            table=codebooks.NF4, block=64,
        )  # fmt: skip


@pytest.mark.parametrize("bits", [4, 8])
def test_no_numbers_are_no_blocks(bits: int) -> None:
    table = codebooks.NF4 if bits == 4 else codebooks.DYNAMIC
    assert pack(bits, b"", FP32, 0, table, 64) == (b"", b"", Counts())
    assert unpack(bits, b"", b"", FP32, 0, table, 64) == (b"", Counts())
