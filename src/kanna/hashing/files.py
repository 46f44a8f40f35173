"""Every digest of a file, in one read.

SHA-256 is what takes the time, and a safetensors file needs two of them: one of the whole file and
one of its data alone (AutoV3), which share no work because their blocks do not line up. One file is
hashed with a thread for each SHA-256 over the same buffers; of many files each has one thread.
Sources: what the digests are, AUTOMATIC1111 modules/hashes.py and sd_models.py; Civitai's API.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from kanna.disk import InputFile
from kanna.formats import recognise
from kanna.hashing.digests import AUTOV1_LENGTH, AUTOV1_START, Digests

_CHUNK: Final = 2 << 20
_RING: Final = 6
_SMALL_CHUNK: Final = 1 << 20  # one thread: stays in the core's own cache from digest to digest
_HEAD: Final = 4096

Update = Callable[[int, memoryview], None]


def read_digests(
    file: InputFile, *, threads: int = 1, tick: Callable[[int], None] = lambda _: None
) -> Digests:
    """Return all digests of `file`, read once; `tick` hears of every so many bytes done.

    Raises:
        FormatError: the file became shorter.
        Incomplete: the device cannot read it.
    """
    work = _Work(data_start(file))
    file.will_stream()
    if threads > 1 and file.size > _CHUNK:
        _side_by_side(file, work, tick)
    else:
        for offset, piece in _pieces(file, _SMALL_CHUNK, count=1):
            for update in (*work.slow(), *work.quick()):
                update(offset, piece)
            tick(len(piece))
    return work.digests(file)


def data_start(file: InputFile) -> int | None:
    """Return where the tensor data of a safetensors file begins, or None for other files."""
    head = file.read(0, min(file.size, _HEAD))
    if recognise(head) != "safetensors":
        return None
    start = 8 + int.from_bytes(head[:8], "little")
    return start if start <= file.size else None


class _Work:
    """The digests of one file in the making; each update may run in another thread."""

    def __init__(self, start: int | None) -> None:
        from blake3 import blake3  # only whole files are hashed with it

        self._start = start
        self._sha256 = hashlib.sha256()
        self._data = hashlib.sha256()
        self._blake3 = blake3()
        self._crc32 = 0

    def slow(self) -> tuple[Update, ...]:
        """Return what takes in a piece for each SHA-256."""
        return (self._update_sha256,) if self._start is None else (
            self._update_sha256, self._update_data,
        )  # fmt: skip

    def quick(self) -> tuple[Update, ...]:
        """Return what takes in a piece for the digests that hardly take time."""
        return (self._update_crc32, self._update_blake3)

    def digests(self, file: InputFile) -> Digests:
        """Return the result, with what is read from a place of its own."""
        window = min(max(file.size - AUTOV1_START, 0), AUTOV1_LENGTH)
        autov1 = hashlib.sha256(file.read(AUTOV1_START, window)).hexdigest()[:8]
        return Digests(
            size=file.size,
            sha256=self._sha256.hexdigest(),
            autov1=autov1,
            data_sha256=None if self._start is None else self._data.hexdigest(),
            blake3=self._blake3.hexdigest(),
            crc32=f"{self._crc32:08x}",
        )

    def _update_sha256(self, _offset: int, piece: memoryview) -> None:
        self._sha256.update(piece)

    def _update_data(self, offset: int, piece: memoryview) -> None:
        assert self._start is not None
        self._data.update(piece[max(self._start - offset, 0) :])

    def _update_crc32(self, _offset: int, piece: memoryview) -> None:
        self._crc32 = zlib.crc32(piece, self._crc32)

    def _update_blake3(self, _offset: int, piece: memoryview) -> None:
        self._blake3.update(piece)


def _pieces(file: InputFile, size: int, count: int) -> Iterator[tuple[int, memoryview]]:
    """Yield the file in pieces; each is good until `count` more have been asked for."""
    buffers = [memoryview(bytearray(min(size, file.size))) for _ in range(count)]
    for turn, offset in enumerate(range(0, file.size, size)):
        piece = buffers[turn % count][: file.size - offset]
        file.read_into(offset, piece)
        yield offset, piece


def _side_by_side(file: InputFile, work: _Work, tick: Callable[[int], None]) -> None:
    """Give every SHA-256 a thread of its own; this one reads and computes the quick digests.

    The pieces go round in a ring, so that no digest waits for another until the ring is full.
    """
    with ExitStack() as stack:
        pools = [(stack.enter_context(ThreadPoolExecutor(1)), slow) for slow in work.slow()]
        waiting: deque[list[Future[None]]] = deque()
        for offset, piece in _pieces(file, _CHUNK, count=_RING):
            waiting.append([pool.submit(update, offset, piece) for pool, update in pools])
            for update in work.quick():
                update(offset, piece)
            if len(waiting) == _RING:
                _finish(waiting.popleft())
            tick(len(piece))
        for futures in waiting:
            _finish(futures)


def _finish(futures: Iterable[Future[None]]) -> None:
    for future in futures:
        future.result()
