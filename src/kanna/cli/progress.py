"""The progress bar: on a terminal only, and only for work that takes longer than a second."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kanna.messages import shown, size_text

if TYPE_CHECKING:
    from kanna.api import Progress

_PATIENCE_SECONDS = 1.0


class Bar:
    """Shows an engine's progress on stderr with speed and time left."""

    def __init__(self, label: str, *, hidden: bool) -> None:
        """Stay out of sight when `hidden`, or when stderr is no terminal."""
        self._label = label
        self._hidden = hidden or not sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, progress: Progress) -> None:
        """Show where the work stands."""
        if self._hidden or (self._bar is None and progress.seconds < _PATIENCE_SECONDS):
            return
        if self._bar is None:
            self._start(progress)
        self._bar.update(  # one verb may read a file, write another and read that
            self._task, completed=progress.bytes_done, total=progress.bytes_total,
            speed=f"{size_text(progress.speed)}/s",
        )  # fmt: skip

    def _start(self, progress: Progress) -> None:
        # costs 60 ms to import, and only long work needs it
        from rich import progress as rich
        from rich.console import Console

        self._bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False), rich.BarColumn(),
            rich.TextColumn("{task.percentage:>3.0f} %"),
            rich.TextColumn("{task.fields[speed]}"), rich.TimeRemainingColumn(),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task(shown(self._label), total=progress.bytes_total, speed="")
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
