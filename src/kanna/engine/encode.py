"""Makes the pieces of quantised tensors: their numbers, and what a reader needs beside them."""

from __future__ import annotations

import struct
from math import prod
from typing import Final

from kanna.dtypes import FP32
from kanna.engine import four_bit
from kanna.engine.clipping import CLIPPED, clip
from kanna.engine.compare import compared
from kanna.engine.measure import Measure
from kanna.engine.work import Piece
from kanna.kernel import Comparison, Counts, max_abs, weighted_sum
from kanna.plan import Encoded, OneScale, Output

_LARGEST_SCALE: Final = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
_SMALLEST_SCALE: Final = 2.0**-120  # one over it is a number in fp32, too

Made = tuple[Counts, Comparison | None]


def fits(output: Output, op: Encoded) -> bool:
    """Whether the piece can be made of the output's input, and fills the output."""
    if len(output.inputs) != 1 or not output.inputs[0].dtype.is_float:
        return False
    if not isinstance(op.encoding, OneScale):
        return four_bit.fits(output, op, op.encoding)
    if op.piece == "scale":
        return output.dtype is FP32 and output.nbytes == 4
    whole = prod(output.shape) == output.inputs[0].numel
    return op.piece == "numbers" and output.dtype in CLIPPED and whole


def encode(
    piece: Piece, op: Encoded, out: memoryview, scratch: memoryview, measure: Measure
) -> Made:
    """Fill `out` with the bytes of `piece`; return what happened to the numbers.

    Raises:
        FormatError: an input does not hold what its header says.
    """
    if not isinstance(op.encoding, OneScale):
        return four_bit.encode(piece, op, op.encoding, out, scratch, measure)
    scale = _scale(op.encoding, scratch, measure)
    if op.reads:
        return _divide(piece, scale, out, scratch, measure)
    out[:] = struct.pack("<f", scale)[piece.start : piece.start + len(out)]
    return Counts(), None


def _scale(encoding: OneScale, scratch: memoryview, measure: Measure) -> float:
    """Return the scale that makes the tensor's largest number the limit; all of it is read."""
    dtype = measure.tensor.dtype

    def look(start: int, count: int) -> None:
        measure.add(max_abs(measure.read(start, count, scratch), dtype, count)[0])

    measure.complete(look)
    scale = min(measure.largest / encoding.limit, _LARGEST_SCALE)
    if scale < _SMALLEST_SCALE:
        return 1.0
    return float(struct.unpack("<f", struct.pack("<f", scale))[0])


def _divide(
    piece: Piece, scale: float, out: memoryview, scratch: memoryview, measure: Measure
) -> Made:
    source, target = measure.tensor.dtype, piece.output.dtype
    data = measure.read(piece.first, piece.count, scratch)
    counts = weighted_sum(out, target, [data], [source], (1 / scale,), piece.count)
    clip(out, target, counts)

    def decode(start: int, count: int, into: memoryview) -> None:
        numbers = out[target.nbytes(start) : target.nbytes(start + count)]
        weighted_sum(into, FP32, [numbers], [target], (scale,), count)

    return counts, compared(data, source, piece.count, decode) if piece.output.compared else None
