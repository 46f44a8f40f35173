"""Makes one piece: reads its inputs, applies its op, leaves the bytes in a buffer."""

from __future__ import annotations

from typing import Final

from kanna.dtypes import FP32
from kanna.engine.clipping import clip
from kanna.engine.compare import compared
from kanna.engine.encode import encode
from kanna.engine.measure import Measures
from kanna.engine.work import Piece
from kanna.kernel import Comparison, Counts, weighted_sum
from kanna.plan import Constant, Copy, Encoded, WeightedSum
from kanna.views.lost import heard

_NOTHING: Final = Counts()

Made = tuple[Counts, Comparison | None]


def fill(piece: Piece, out: memoryview, scratch: bytearray, measures: Measures) -> Made:
    """Fill `out` with the bytes of `piece`; `scratch` holds what it reads on the way.

    Returns what was counted, also within its inputs, and, where that is asked for, how far the
    numbers moved.

    Raises:
        FormatError: an input does not hold what its header says.
    """
    with heard() as inside:
        counts, comparison = _filled(piece, out, scratch, measures)
    return sum(inside, counts), comparison


def _filled(piece: Piece, out: memoryview, scratch: bytearray, measures: Measures) -> Made:
    match piece.output.op:
        case Copy():
            piece.output.inputs[0].data.read_into(piece.start, out)
        case Constant(data):
            out[:] = memoryview(data)[piece.start : piece.start + piece.nbytes]
        case WeightedSum() as op:
            return _sum(piece, op, out, memoryview(scratch))
        case Encoded() as op:
            with measures.of(piece.output) as measure:
                return encode(piece, op, out, memoryview(scratch), measure)
    return _NOTHING, None


def _sum(piece: Piece, op: WeightedSum, out: memoryview, scratch: memoryview) -> Made:
    inputs = []
    place = 0
    for tensor in piece.output.inputs:
        data = scratch[place : place + tensor.dtype.nbytes(piece.count)]
        tensor.data.read_into(tensor.dtype.nbytes(piece.first), data)
        inputs.append(data)
        place += len(data)
    dtypes = [tensor.dtype for tensor in piece.output.inputs]
    target = piece.output.dtype
    counts = weighted_sum(out, target, inputs, dtypes, op.weights, piece.count, double=op.double)
    if op.clipped:
        clip(out, target, counts)
    if not piece.output.compared:
        return counts, None

    def decode(start: int, count: int, into: memoryview) -> None:
        numbers = out[target.nbytes(start) : target.nbytes(start + count)]
        weighted_sum(into, FP32, [numbers], [target], (1.0,), count)

    return counts, compared(inputs[0], dtypes[0], piece.count, decode)
