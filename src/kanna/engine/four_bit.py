"""Makes bitsandbytes' pieces of a tensor: codes, the blocks' largest numbers, the state.

Source: bitsandbytes functional.py, ``quantize_4bit`` and ``QuantState.as_dict``.
"""

from __future__ import annotations

import json
from typing import Final

from kanna.codebooks import DYNAMIC
from kanna.dtypes import FP32
from kanna.engine.compare import compared
from kanna.engine.measure import Measure, Nested
from kanna.engine.work import Piece
from kanna.kernel import Comparison, Counts, pack4, pack8, unpack4, unpack8
from kanna.plan import STATE_ROOM, Encoded, FourBit, Output
from kanna.views.decoded import NESTED_BLOCK, mean_of, minus, plus

_MEAN: Final = b', "nested_offset": %s}'

Made = tuple[Counts, Comparison | None]


def fits(output: Output, op: Encoded, encoding: FourBit) -> bool:
    """Whether the piece fills the output."""
    numel = output.inputs[0].numel
    blocks = -(-numel // encoding.block)
    if op.piece == "state":
        return encoding.nested and output.nbytes >= len(op.text) + STATE_ROOM
    if op.piece == "nested_absmax":
        return encoding.nested and output.nbytes == 4 * -(-blocks // NESTED_BLOCK)
    sizes = {"numbers": -(-numel // 2), "absmax": blocks if encoding.nested else 4 * blocks}
    return sizes.get(op.piece) == output.nbytes


def encode(
    piece: Piece, op: Encoded, encoding: FourBit, out: memoryview, scratch: memoryview,
    measure: Measure,
) -> Made:  # fmt: skip
    """Fill `out` with the bytes of `piece`; return what happened to the numbers.

    Raises:
        FormatError: an input does not hold what its header says.
    """
    if op.reads:
        return _pack_piece(piece, encoding, out, scratch, measure)
    _complete(encoding, scratch, measure)
    whole = memoryview(_side(op, encoding, measure).ljust(piece.output.nbytes))
    out[:] = whole[piece.start : piece.start + len(out)]
    return Counts(), None


def _side(op: Encoded, encoding: FourBit, measure: Measure) -> bytes | bytearray:
    """Return all bytes of a piece that is made of the blocks' largest numbers."""
    if not encoding.nested:
        return measure.absmax
    nested = _nested(measure)
    if op.piece == "state":
        return op.text[:-1] + _MEAN % json.dumps(nested.mean).encode()
    return nested.codes if op.piece == "absmax" else nested.largest


def _pack_piece(
    piece: Piece, encoding: FourBit, out: memoryview, scratch: memoryview, measure: Measure
) -> Made:
    wanted = piece.output.compared
    if wanted and encoding.nested:
        _complete(encoding, scratch, measure)
    with measure.chunk(piece.first) as mine:
        data = measure.read(piece.first, piece.count, scratch)
        absmax = _blocks(measure.absmax, encoding, piece.first, piece.count)
        if not mine:  # whoever has the chunk may not be done with it
            absmax = memoryview(bytearray(len(absmax)))
        counts = _pack(encoding, out, absmax, data, measure, piece.count)
    if not wanted:
        return counts, None
    if encoding.nested:
        absmax = _blocks(_nested(measure).decoded, encoding, piece.first, piece.count)

    def decode(start: int, count: int, into: memoryview) -> None:
        codes = out[start // 2 : start // 2 + -(-count // 2)]
        largest = _blocks(absmax, encoding, start, count)
        unpack4(into, FP32, codes, largest, count, table=encoding.table, block=encoding.block)

    return counts, compared(data, measure.tensor.dtype, piece.count, decode)


def _complete(encoding: FourBit, scratch: memoryview, measure: Measure) -> None:
    """Let the largest number of every block be known."""

    def look(start: int, count: int) -> None:
        data = measure.read(start, count, scratch)
        codes = scratch[len(data) : len(data) + -(-count // 2)]
        absmax = _blocks(measure.absmax, encoding, start, count)
        _pack(encoding, codes, absmax, data, measure, count)

    measure.complete(look)


def _pack(
    encoding: FourBit, codes: memoryview, absmax: memoryview, data: memoryview, measure: Measure,
    count: int,
) -> Counts:  # fmt: skip
    dtype = measure.tensor.dtype
    return pack4(codes, absmax, data, dtype, count, table=encoding.table, block=encoding.block)


def _blocks(
    absmax: memoryview | bytearray, encoding: FourBit, start: int, count: int
) -> memoryview:
    """Return the largest numbers of the blocks of a run that starts where one does."""
    first = start // encoding.block
    return memoryview(absmax)[4 * first : 4 * (first + -(-count // encoding.block))]


def _nested(measure: Measure) -> Nested:
    """Return the blocks' largest numbers as they are stored with nested statistics."""
    with measure.lock:
        if measure.nested is None:
            measure.nested = _compress(memoryview(measure.absmax))
        return measure.nested


def _compress(absmax: memoryview) -> Nested:
    count = len(absmax) // 4
    mean = mean_of(absmax)
    codes, largest = bytearray(count), bytearray(4 * -(-count // NESTED_BLOCK))
    rest = minus(absmax, mean)
    pack8(codes, largest, rest, FP32, count, table=DYNAMIC, block=NESTED_BLOCK)
    unpack8(rest, FP32, codes, largest, count, table=DYNAMIC, block=NESTED_BLOCK)
    return Nested(codes, largest, mean, plus(rest, mean))
