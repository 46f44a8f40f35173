"""Tensors inside members of a zip that a re-zip has compressed; torch itself never compresses."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kanna.formats.checkpoint.tensor_data import Record
    from kanna.model import Extent

_CHUNK: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Inflated:
    """A run of bytes inside a record that a re-zip has compressed (deflate, without a header)."""

    record: Record
    packed: int
    offset: int
    nbytes: int
    whole: bool = True

    def extent(self) -> Extent | None:
        """Return None: the bytes are nowhere in the file as they are."""
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the run, inflating all that lies before it.

        Raises:
            FormatError: the compressed bytes are damaged or end early.
        """
        skip, done = self.offset + start, 0
        for block in self._blocks():
            piece = block[skip : skip + len(out) - done]
            out[done : done + len(piece)] = piece
            skip, done = max(skip - len(block), 0), done + len(piece)
            if done == len(out):
                return
        raise FormatError("checkpoint.deflate_broken", path=self.record.file.path)

    def _blocks(self) -> Iterator[bytes]:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        offset = self.record.start()
        end = offset + self.packed
        try:
            while offset < end and not machine.eof:
                packed = self.record.file.read(offset, min(_CHUNK, end - offset))
                offset += len(packed)
                while packed and not machine.eof:
                    yield machine.decompress(packed, _CHUNK)
                    packed = machine.unconsumed_tail
            yield machine.flush()
        except zlib.error:
            raise FormatError("checkpoint.deflate_broken", path=self.record.file.path) from None
