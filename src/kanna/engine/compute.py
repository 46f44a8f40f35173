"""Makes one piece: reads its inputs, applies its op, leaves the bytes in a buffer."""

from __future__ import annotations

from typing import Final

from kanna.engine.work import Piece
from kanna.kernel import Counts, weighted_sum
from kanna.plan import Constant, Copy, WeightedSum

_NOTHING: Final = Counts()


def fill(piece: Piece, out: memoryview, scratch: bytearray) -> Counts:
    """Fill `out` with the bytes of `piece`; `scratch` holds what it reads on the way.

    Raises:
        FormatError: an input does not hold what its header says.
    """
    match piece.output.op:
        case Copy():
            piece.output.inputs[0].data.read_into(piece.start, out)
        case Constant(data):
            out[:] = memoryview(data)[piece.start : piece.start + piece.nbytes]
        case WeightedSum() as op:
            return _sum(piece, op, out, memoryview(scratch))
    return _NOTHING


def _sum(piece: Piece, op: WeightedSum, out: memoryview, scratch: memoryview) -> Counts:
    inputs = []
    place = 0
    for tensor in piece.output.inputs:
        width = tensor.dtype.nbytes(1)
        data = scratch[place : place + piece.count * width]
        tensor.data.read_into(piece.first * width, data)
        inputs.append(data)
        place += len(data)
    dtypes = [tensor.dtype for tensor in piece.output.inputs]
    return weighted_sum(
        out, piece.output.dtype, inputs, dtypes, op.weights, piece.count, double=op.double
    )
