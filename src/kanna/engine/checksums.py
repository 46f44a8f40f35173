"""CRC-32 of tensors whose pieces come from several threads, in any order.

The checksum of two runs of bytes follows from those of each: ``crc(AB) = crc(A)·x^(8|B|) + crc(B)``
in polynomials over GF(2), modulo that of CRC-32. Source: zlib, ``crc32_combine``.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Final

_POLYNOMIAL: Final = 0xEDB88320  # bit-reflected, as all values here: the highest bit is x^0
_ONE: Final = 1 << 31
_X: Final = 1 << 30


class Checksums:
    """The CRC-32 of each output, put together from its pieces."""

    def __init__(self, outputs: int) -> None:
        """Prepare for so many `outputs`."""
        self._pieces: list[list[tuple[int, int, int]]] = [[] for _ in range(outputs)]

    def add(self, index: int, start: int, data: memoryview) -> None:
        """Take in the bytes of output `index` from `start`; any thread may call this."""
        self._pieces[index].append((start, len(data), zlib.crc32(data)))

    def all(self) -> list[int]:
        """Return the checksum of every output, 0 for an empty one."""
        checksums = []
        for pieces in self._pieces:
            checksum = 0
            for _, length, crc in sorted(pieces):
                checksum = combined(checksum, crc, length)
            checksums.append(checksum)
        return checksums


def combined(first: int, second: int, length: int) -> int:
    """Return the checksum of two runs of bytes from theirs; the second has `length` bytes."""
    return _product(_shift(length), first) ^ second


@cache
def _shift(length: int) -> int:
    """Return ``x^(8·length)``; a plan has few different lengths of pieces."""
    power, square, exponent = _ONE, _X, 8 * length
    while exponent:
        if exponent & 1:
            power = _product(square, power)
        square = _product(square, square)
        exponent >>= 1
    return power


def _product(a: int, b: int) -> int:
    """Multiply two polynomials modulo that of CRC-32."""
    product, bit = 0, _ONE
    while bit:
        if a & bit:
            product ^= b
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
        bit >>= 1
    return product
