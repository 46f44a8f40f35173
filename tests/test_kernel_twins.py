"""The C extension and its twin in torch: the same bits and the same counts from any bits at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernel_oracle as oracle
from kanna import _kernel_torch, codebooks
from kanna.dtypes import WORDS, DType
from kanna.formats.ggml_types import GGML_TYPES, WRITTEN

_kernel = pytest.importorskip("kanna._kernel", reason="without the extension there is one only")

ELEMENTS = [WORDS[word] for word in oracle.ALL]
BLOCKS = [d for d in GGML_TYPES.values() if d.code is not None and d not in ELEMENTS]
SMALL_FLOATS = [WORDS[word] for word in ("fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2")]
PIECE = 256  # elements: whole blocks of every type

# Bytes of every kind of number: anything, ordinary weights in fp16 and bf16, rare NaN and Inf.
patterns = st.lists(
    st.sampled_from(
        [b"\x00\x3c\x80\x3f", b"\xcd\xbc\xaa\x2e", b"\x00\x00\x80\x7f", b"\xff\x7f\xc0\x7f"]
    )
    | st.binary(min_size=4, max_size=4),
    min_size=1,
    max_size=12,
)


def fill(parts: list[bytes], size: int) -> bytes:
    """Repeat the parts in a pattern without a short period, to this length."""
    order = [parts[i * i * 7 % 11 * i % len(parts)] for i in range(size // 4 + 1)]
    return b"".join(order)[:size]


@given(
    out=st.sampled_from([*ELEMENTS, *WRITTEN.values()]),
    dtypes=st.lists(st.sampled_from([*ELEMENTS, *BLOCKS]), min_size=1, max_size=3),
    weights=st.lists(st.sampled_from([1.0, -1.0, 0.3, 1e30]), min_size=3, max_size=3),
    pieces=st.integers(1, 10),
    double=st.booleans(),
    parts=patterns,
)
def test_sums_are_the_same(
    out: DType, dtypes: list[DType], weights: list[float], pieces: int, *, double: bool,
    parts: list[bytes],
) -> None:  # fmt: skip
    count = pieces * PIECE
    inputs = tuple(fill(parts, dtype.nbytes(count)) for dtype in dtypes)
    codes, factors = tuple(d.code for d in dtypes), tuple(weights[: len(dtypes)])
    room = [bytearray(out.nbytes(count)) for _ in range(2)]
    counts = [
        module.weighted_sum(buffer, out.code, inputs, codes, factors, count, double)
        for module, buffer in zip((_kernel, _kernel_torch), room, strict=True)
    ]
    assert counts[0] == counts[1]
    assert room[0] == room[1]


@given(
    bits=st.sampled_from([4, 8]),
    dtype=st.sampled_from(ELEMENTS),
    back=st.sampled_from(SMALL_FLOATS),
    count=st.integers(0, 1000),
    block=st.sampled_from([2, 6, 64, 256, 4096]),
    table=st.sampled_from([codebooks.NF4, codebooks.FP4]),
    parts=patterns,
)
def test_codes_are_the_same(
    bits: int, dtype: DType, back: DType, count: int, block: int, table: bytes, parts: list[bytes]
) -> None:
    table = table if bits == 4 else codebooks.DYNAMIC
    data = fill(parts, dtype.nbytes(count))
    results = []
    for module in (_kernel, _kernel_torch):
        pack, unpack = getattr(module, f"pack{bits}"), getattr(module, f"unpack{bits}")
        packed, absmax = bytearray((count * bits + 7) // 8), bytearray(-(-count // block) * 4)
        lost = pack(packed, absmax, data, dtype.code, count, table, block)
        out = bytearray(back.nbytes(count))
        counts = unpack(out, back.code, packed, absmax, count, table, block)
        results.append((packed, absmax, lost, out, counts))
    assert results[0] == results[1]


@given(
    dtypes=st.tuples(*[st.sampled_from([*ELEMENTS, *BLOCKS])] * 2),
    pieces=st.integers(0, 10),
    parts=patterns,
)
def test_measures_are_the_same(
    dtypes: tuple[DType, DType], pieces: int, parts: list[bytes]
) -> None:
    count = pieces * PIECE
    x, y = (fill(parts, dtype.nbytes(count)) for dtype in dtypes)
    calls = (x, dtypes[0].code, y, dtypes[1].code, count)
    found = [repr(module.compare(*calls)) for module in (_kernel, _kernel_torch)]
    assert found[0] == found[1]
    found = [repr(module.max_abs(*calls[:2], count)) for module in (_kernel, _kernel_torch)]
    assert found[0] == found[1]
