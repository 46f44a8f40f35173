"""One thread that hashes finished buffers in file order, behind the workers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from queue import SimpleQueue

from kanna.engine.work import Batch

_Finished = tuple[int, Batch, memoryview, Callable[[], None]]


class Digest:
    """SHA-256 of all tensor data, in file order."""

    def __init__(self) -> None:
        """Start with no data."""
        self._sha256 = hashlib.sha256()
        self._finished: SimpleQueue[_Finished | None] = SimpleQueue()

    @property
    def digits(self) -> str:
        """The SHA-256 so far, 64 digits."""
        return self._sha256.hexdigest()

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
            for piece, place in zip(batch.pieces, batch.places, strict=True):
                self._sha256.update(buffer[place : place + piece.nbytes])
            release()

    def stop(self) -> None:
        """Let `follow` return early."""
        self._finished.put(None)
