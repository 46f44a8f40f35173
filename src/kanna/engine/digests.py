"""One thread that hashes finished buffers in file order, behind the workers."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from queue import SimpleQueue

from kanna.engine.work import Batch

_Finished = tuple[int, Batch, memoryview, Callable[[], None]]


class Digests:
    """SHA-256 of all tensor data in file order, and CRC-32 of each tensor."""

    def __init__(self, outputs: int, *, sha256: bool, crc32: bool) -> None:
        """Prepare for so many `outputs`; compute only what is asked for."""
        self.crcs = [0] * outputs
        self._sha256 = hashlib.sha256() if sha256 else None
        self._crc32 = crc32
        self._finished: SimpleQueue[_Finished | None] = SimpleQueue()

    @property
    def wanted(self) -> bool:
        """Whether there is anything to compute."""
        return self._sha256 is not None or self._crc32

    @property
    def digest(self) -> str | None:
        """The SHA-256 so far, 64 digits, or None if it was not asked for."""
        return self._sha256.hexdigest() if self._sha256 else None

    def put(self, turn: int, batch: Batch, buffer: memoryview, release: Callable[[], None]) -> None:
        """Hand in the batch of this `turn`; `release` is called once the buffer is done with."""
        self._finished.put((turn, batch, buffer, release))

    def follow(self, turns: int) -> None:
        """Hash the batches of all `turns`, in order, as they come in."""
        early: dict[int, _Finished] = {}
        for turn in range(turns):
            while turn not in early:
                finished = self._finished.get()
                if finished is None:
                    return
                early[finished[0]] = finished
            _, batch, buffer, release = early.pop(turn)
            self._hash(batch, buffer)
            release()

    def stop(self) -> None:
        """Let `follow` return early."""
        self._finished.put(None)

    def _hash(self, batch: Batch, buffer: memoryview) -> None:
        for piece, place in zip(batch.pieces, batch.places, strict=True):
            data = buffer[place : place + piece.nbytes]
            if self._sha256:
                self._sha256.update(data)
            if self._crc32:
                self.crcs[piece.index] = zlib.crc32(data, self.crcs[piece.index])
