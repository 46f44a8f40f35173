"""The progress bar: on a terminal only, and only for work that takes longer than a second."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kanna.messages import shown, size_text

if TYPE_CHECKING:
    from kanna.api import Progress

_PATIENCE_SECONDS = 1.0


class LongBar:
    """A bar on stderr that appears when its work turns out to be long."""

    def __init__(self, *, hidden: bool) -> None:
        """Stay out of sight when `hidden`, or when stderr is no terminal."""
        self._hidden = hidden or not sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def show(self, seconds: float, done: float, total: float | None, label: str, text: str) -> None:
        """Show how much of `total` is done after so many seconds; `text` stands behind the bar."""
        if self._hidden or (self._bar is None and seconds < _PATIENCE_SECONDS):
            return
        if self._bar is None:
            self._start()
        self._bar.update(
            self._task, completed=done, total=total or None, description=shown(label), text=text
        )

    def _start(self) -> None:
        # costs 60 ms to import, and only long work needs it
        from rich import progress as rich
        from rich.console import Console

        self._bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False), rich.BarColumn(),
            rich.TaskProgressColumn(), rich.TextColumn("{task.fields[text]}", markup=False),
            rich.TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, text="")
        self._bar.start()

    def __enter__(self) -> Self:
        """Return the bar; it appears when there is something to show."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()


class Bar(LongBar):
    """Shows an engine's progress with speed and time left."""

    def __init__(self, label: str, *, hidden: bool) -> None:
        """Begin; see `LongBar`."""
        super().__init__(hidden=hidden)
        self._label = label

    def __call__(self, progress: Progress) -> None:
        """Show where the work stands."""
        speed = f"{size_text(progress.speed)}/s"  # one verb may read a file, write and read that
        self.show(progress.seconds, progress.bytes_done, progress.bytes_total, self._label, speed)
