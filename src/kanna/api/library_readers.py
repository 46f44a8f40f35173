"""Who reads the files of a scan: this process while there are few, others when there are more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from kanna.api.library_pool import Pool
from kanna.catalog.changes import Change
from kanna.catalog.recording import Recorder

_BATCH: Final = 8
_FEW: Final = 24  # files that are read before another process would have started


class Reading:
    """Reads files here while there are few, and in other processes when there are more.

    While it waits, no transaction stays open: others may want to write to the library.
    """

    def __init__(
        self,
        workers: int,
        recorder: Recorder,
        keep: Callable[[Recorder, Change, dict[str, Any]], None],
    ) -> None:
        """Begin; `keep` is given each file with its row, as soon as that was read."""
        self._workers, self._recorder, self._keep = workers, recorder, keep
        self._pool: Pool | None = None
        self._waiting: list[Change] = []

    def add(self, change: Change) -> None:
        """Take a file to be read; what others have finished by now is kept."""
        self._waiting.append(change)
        if self._pool is None and len(self._waiting) > _FEW:
            self._pool = Pool(self._workers)
        if self._pool is not None:
            while len(self._waiting) >= _BATCH:
                self._hand_over(self._pool)

    def finish(self) -> Iterator[None]:
        """Read or await all that is left, file by file."""
        pool = self._pool
        if pool is None:
            from kanna.api.library_worker import read
            from kanna.identify.layouts import Layouts

            layouts = Layouts()
            for change in self._waiting:
                self._recorder.close()
                self._keep(
                    self._recorder, change, read(change.seen.table, change.seen.path, layouts)
                )
                yield
            return
        while self._waiting:
            self._hand_over(pool)
            yield
        while pool.busy:
            self._take(pool, wait=0.1)
            yield

    def __enter__(self) -> Self:
        """Return the reading itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the other processes."""
        if self._pool is not None:
            self._pool.close()

    def _hand_over(self, pool: Pool) -> None:
        if pool.give(self._waiting[:_BATCH]):
            del self._waiting[:_BATCH]
        else:
            self._recorder.keep_pace()
        self._take(pool)

    def _take(self, pool: Pool, *, wait: float = 0) -> None:
        for answer in pool.answers(wait=wait):
            self._keep(self._recorder, answer.change, answer.row)
