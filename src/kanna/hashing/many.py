"""Many files at once: one thread for each core, a progress report, a way to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.disk import Fingerprint, open_input
from kanna.engine import Progress
from kanna.engine.meter import Meter
from kanna.errors import FormatError, Interrupted, KannaError
from kanna.hashing.digests import Digests
from kanna.hashing.files import read_digests

_TICK: Final = 0.1  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """The digests of one file, and the state it had; or what went wrong with it."""

    path: Path
    fingerprint: Fingerprint | None = None
    digests: Digests | None = None
    error: KannaError | None = None


class _Count:
    """Bytes done by all threads, and whether they shall stop."""

    def __init__(self) -> None:
        self.done = 0
        self.stopped = False
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes.

        Raises:
            Interrupted: the work was stopped.
        """
        if self.stopped:
            raise Interrupted("engine.interrupted")
        with self._lock:
            self.done += count


def hash_files(
    paths: Sequence[Path],
    *,
    threads: int,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[Hashed]:
    """Yield the digests of each file, in order; a broken one does not stop the others.

    Raises:
        Interrupted: `cancel` was set.
    """
    count = _Count()
    meter = Meter(sum(map(_size, paths)), progress, cancel)
    # The threads that are left over when there are few files share the work on each of them.
    inside = max(1, threads // max(1, len(paths)))
    with ThreadPoolExecutor(max(1, threads // inside)) as pool:
        futures = [pool.submit(_hash_file, path, inside, count) for path in paths]
        try:
            for future in futures:
                _await(future, meter, count)
                yield future.result()
        finally:
            count.stopped = True
            pool.shutdown(cancel_futures=True)


def _await(future: Future[Hashed], meter: Meter, count: _Count) -> None:
    while not future.done():
        wait([future], timeout=_TICK)
        meter.tick(count.done)


def _hash_file(path: Path, threads: int, count: _Count) -> Hashed:
    try:
        with closing(open_input(path)) as file:
            digests = read_digests(file, threads=threads, tick=count.add)
            if not file.unchanged():
                raise FormatError("hash.changed", path=path)
            return Hashed(path=path, fingerprint=file.fingerprint, digests=digests)
    except Interrupted:
        raise
    except KannaError as error:
        return Hashed(path=path, error=error)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
