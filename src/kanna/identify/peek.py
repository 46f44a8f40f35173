"""Reading a few numbers: at most 4 KiB of small tensors that the tables name, and only those."""

from __future__ import annotations

import struct
from math import fsum, sqrt
from typing import TYPE_CHECKING, Final

from kanna.dtypes import BF16

if TYPE_CHECKING:
    from kanna.model import TensorInfo

LIMIT: Final = 4096
# Codes of the struct module by dtype word; bf16 is the upper half of an fp32.
_CODES: Final = {
    "fp64": "d", "fp32": "f", "fp16": "e", "int64": "q", "int32": "i", "int16": "h", "int8": "b",
    "uint8": "B", "uint64": "Q", "uint32": "I", "uint16": "H",
}  # fmt: skip


class Peek:
    """A reader with a budget: it reads nothing once `limit` bytes are spent."""

    def __init__(self, limit: int = LIMIT) -> None:
        """Start with `limit` bytes to spend; 0 reads nothing."""
        self.left = limit

    def values(self, tensor: TensorInfo) -> tuple[float, ...] | None:
        """Return the tensor's numbers, or None where it is too large or of no number format.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        if not 0 < tensor.nbytes <= self.left or tensor.dtype.word not in {*_CODES, "bf16"}:
            return None
        self.left -= tensor.nbytes
        return _decoded(tensor.read(), tensor)


def deviation(values: tuple[float, ...]) -> float | None:
    """Return the standard deviation (n - 1), or None for all zeros: a file full of holes."""
    if len(values) < 2 or not any(values):
        return None
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _decoded(data: bytes, tensor: TensorInfo) -> tuple[float, ...]:
    if tensor.dtype is BF16:
        widened = b"".join(b"\0\0" + data[at : at + 2] for at in range(0, len(data), 2))
        return struct.unpack(f"<{tensor.numel}f", widened)
    return struct.unpack(f"<{tensor.numel}{_CODES[tensor.dtype.word]}", data)
