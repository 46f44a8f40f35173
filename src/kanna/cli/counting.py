"""How many files of many are done: one line, on a terminal, for work longer than a second."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

from kanna.cli.output import width
from kanna.messages import say

_PATIENCE_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.1


class Count:
    """A count on stderr that gives way to whatever else is printed."""

    def __init__(self, *, hidden: bool) -> None:
        """Begin; stay out of sight when `hidden`, or when stderr is no terminal."""
        self._hidden = hidden or not sys.stderr.isatty()
        self._next = time.monotonic() + _PATIENCE_SECONDS
        self._columns = 0

    def __call__(self, done: int, total: int) -> None:
        """Show that so many files are done; when all are, nothing stays on the screen."""
        if done >= total:
            self.close()
        elif not self._hidden and time.monotonic() >= self._next:
            self.close()
            text = say("cli.counted", done=done, total=total)
            click.echo(text, err=True, nl=False)
            self._columns = width(text)
            self._next = time.monotonic() + _PAUSE_SECONDS

    def close(self) -> None:
        """Take the count off the screen."""
        if self._columns:
            click.echo(f"\r{' ' * self._columns}\r", err=True, nl=False)
            self._columns = 0
