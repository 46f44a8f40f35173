"""Worker processes for a scan, and what becomes of the file that one of them dies of.

They are plain processes that speak in lines of JSON: nothing is pickled, and the script that calls
`scan_library` need not guard its main module.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Self

from kanna.catalog.changes import Change
from kanna.catalog.rows import ImageRow, ModelRow
from kanna.errors import FormatError
from kanna.messages import language

_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from kanna.api.library_worker import main; main(sys.argv[2])"
)
_WAITING: Final = 3  # batches for each worker
_PATIENCE: Final = 5  # seconds for a worker to end by itself
Batch = Sequence[Change]


class Answer(NamedTuple):
    """What was read of a file, as JSON holds a row."""

    change: Change
    row: dict[str, Any]


class Pool:
    """Reads files in several processes; use it as a context manager, from one thread."""

    def __init__(self, workers: int) -> None:
        """Begin with so many processes, which start when there is work."""
        self._batches: queue.Queue[Batch | None] = queue.Queue(workers * _WAITING)
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._stopped = False
        self._running: set[_Worker] = set()
        self._asked = self._answered = 0
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def give(self, batch: Batch) -> bool:
        """Take work, unless there is enough of it already: then wait a moment and return False."""
        try:
            self._batches.put(batch, timeout=0.05)
        except queue.Full:
            return False
        self._asked += len(batch)
        return True

    def answers(self, *, wait: float = 0) -> Iterator[Answer]:
        """Yield what has been read by now; wait so many seconds for the first."""
        while self._answered < self._asked:
            try:
                answer = self._answers.get(timeout=wait) if wait else self._answers.get_nowait()
            except queue.Empty:
                return
            wait = 0
            self._answered += 1
            yield answer

    @property
    def busy(self) -> bool:
        """Whether there is something that was asked and not answered."""
        return self._answered < self._asked

    def close(self) -> None:
        """End all processes, whatever they are at."""
        self._stopped = True
        for worker in self._running.copy() if self.busy else ():
            worker.kill()
        while True:
            try:
                self._batches.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        """Return the pool itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End all processes."""
        self.close()

    def _serve(self) -> None:
        """Pass batches to a process of its own, which is started anew when it dies."""
        worker: _Worker | None = None
        while (batch := self._batches.get()) is not None:
            waiting, alone = list(batch), False
            while waiting and not self._stopped:
                worker = worker or self._start()
                done = 0
                for change, row in worker.read(waiting[:1] if alone else waiting):
                    self._answers.put(Answer(change, row))
                    done += 1
                waiting = waiting[done:]
                if worker.dead:
                    self._end(worker)
                    worker = None
                    if alone and not done:  # it was this file, and no accident
                        change = waiting.pop(0)
                        self._answers.put(Answer(change, _fatal(change)))
                alone = worker is None and not alone
        if worker is not None:
            self._end(worker)

    def _start(self) -> _Worker:
        worker = _Worker()
        self._running.add(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.close()
        self._running.discard(worker)


class _Worker:
    """One process."""

    def __init__(self) -> None:
        paths = [path for path in sys.path if path]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and words of ours
            [sys.executable, "-P", "-c", _START, json.dumps(paths), language()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.dead = False

    def read(self, batch: Batch) -> Iterator[tuple[Change, dict[str, Any]]]:
        """Yield what is read of each file, until one ends the process."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        for sent, change in enumerate(batch):
            # one more than it is at, so that it need not wait for the next
            try:
                for one in batch[sent + bool(sent) : sent + 2]:
                    asked.write(_line(one))
                asked.flush()
            except OSError:
                self.dead = True
            line = answers.readline()
            if not line.endswith(b"\n"):
                self.dead = True
                return
            yield change, json.loads(line)

    def kill(self) -> None:
        """End the process at once, whatever it is at; whoever reads from it hears of that."""
        self._process.kill()

    def close(self) -> None:
        """End the process, which has nothing to do."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except OSError:
            self.dead = True
        if self.dead:
            self._process.kill()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _line(change: Change) -> bytes:
    return json.dumps([change.seen.table, change.seen.path]).encode() + b"\n"


def _fatal(change: Change) -> dict[str, Any]:
    """Return the row of a file that a process died of, twice."""
    error = FormatError("library.reader_died", path=change.seen.path)
    row = ImageRow if change.seen.table == "image" else ModelRow
    return row(error=error.key, error_text=error.message).to_json()
