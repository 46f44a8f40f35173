"""Tells how far a run is, and stops it when it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import Final

from kanna.engine.options import Progress
from kanna.errors import Interrupted

_INTERVAL: Final = 0.1  # seconds between two reports


class Meter:
    """Counts the bytes of one run, of which so many are to come."""

    def __init__(
        self, total: int, report: Callable[[Progress], None] | None, cancel: Event | None
    ) -> None:
        """Start the clock; `report` may be called ten times a second, in the thread that ticks."""
        self.total = total
        self.base = 0
        self._report = report
        self._cancel = cancel
        self._start = monotonic()
        self._next = self._start + _INTERVAL

    @property
    def seconds(self) -> float:
        """The seconds since the run began."""
        return monotonic() - self._start

    def tick(self, done: int) -> None:
        """Note that `done` bytes of the present stage are through.

        Raises:
            Interrupted: the run was cancelled.
        """
        if self._cancel and self._cancel.is_set():
            raise Interrupted("engine.interrupted")
        if self._report and monotonic() >= self._next:
            self._next = monotonic() + _INTERVAL
            self._report(self._progress(self.base + done))

    def stage(self, done: int) -> None:
        """Begin a new stage: `done` bytes of the last one are through for good."""
        self.base += done
        self._next = monotonic()
        self.tick(0)

    def _progress(self, done: int) -> Progress:
        seconds = self.seconds
        speed = done / seconds if seconds else 0.0
        return Progress(
            bytes_done=done,
            bytes_total=self.total,
            seconds=seconds,
            speed=speed,
            eta=(self.total - done) / speed if speed else None,
        )
