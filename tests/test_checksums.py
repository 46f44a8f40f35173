"""Checksums put together from pieces are those of the whole."""

from __future__ import annotations

import random
import zlib

from hypothesis import given
from hypothesis import strategies as st

from kanna.engine.checksums import Checksums, combined


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_two_checksums_combine_to_that_of_both(first: bytes, second: bytes) -> None:
    crc = combined(zlib.crc32(first), zlib.crc32(second), len(second))
    assert crc == zlib.crc32(first + second)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=9), st.randoms())
def test_pieces_may_come_in_any_order(pieces: list[bytes], order: random.Random) -> None:
    starts = [sum(map(len, pieces[:n])) for n in range(len(pieces))]
    shuffled = list(zip(starts, pieces, strict=True))
    order.shuffle(shuffled)
    checksums = Checksums(2)
    for start, piece in shuffled:
        checksums.add(1, start, memoryview(piece))
    assert checksums.all() == [0, zlib.crc32(b"".join(pieces))]


def test_pieces_of_real_size_combine() -> None:
    data = random.Random(0).randbytes(5_000_001)
    cut = 2 << 20
    whole = combined(zlib.crc32(data[:cut]), zlib.crc32(data[cut:]), len(data) - cut)
    assert whole == zlib.crc32(data)
