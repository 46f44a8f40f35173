"""Several files in one command: one that fails stops no other, and one document tells of all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kanna.cli.output import common_exit_code, failed, print_json, print_notice
from kanna.errors import Interrupted, KannaError, UsageError

if TYPE_CHECKING:
    from kanna.cli.counting import Count


class Batch:
    """What a command found or made, file by file, and the exit code that comes of it."""

    def __init__(
        self, *, as_json: bool, quiet: bool, spaced: bool = False, misuse_stops: bool = False,
        total: int = 0,
    ) -> None:  # fmt: skip
        """Begin.

        Where `total` says how many files there are, they are counted on the screen. `spaced` puts
        an empty line between the reports of two files; with `misuse_stops`, a usage error is one of
        the whole command.
        """
        self._as_json, self._quiet, self._spaced = as_json, quiet, spaced
        self._through = (Interrupted, UsageError) if misuse_stops else (Interrupted,)
        self._documents: list[object] = []
        self._codes: list[int] = []
        self._printed = False
        self._attempted = self._failed = 0
        self._total = total
        self._count = _count(hidden=as_json or quiet) if total else None

    @contextmanager
    def attempt(self, path: str | os.PathLike[str]) -> Iterator[None]:
        """Do the work on one file; its error is told, and the next file has its turn.

        Raises:
            Interrupted: the user stopped the whole command.
            UsageError: with `misuse_stops`, the command makes no sense, whatever the file.
        """
        self._attempted += 1
        try:
            yield
        except BaseException as error:
            self._clear()
            if not isinstance(error, KannaError) or isinstance(error, self._through):
                raise
            self._failed += 1
            self._codes.append(error.exit_code)
            self._keep(failed(path, error, as_json=self._as_json))
        if self._count is not None:
            self._count(self._attempted, self._total)

    def add(self, document: object, lines: Callable[[], Iterable[str]], *, code: int = 0) -> None:
        """Tell of one file: its document, its lines where people read, a code that is no error."""
        self._keep(document)
        if code:
            self._codes.append(code)
        if not self._as_json and not self._quiet:
            self._clear()
            click.echo("\n" * (self._spaced and self._printed) + "\n".join(lines()))
            self._printed = True

    def _clear(self) -> None:
        """Take the count off the screen, so that something else can be printed."""
        if self._count is not None:
            self._count.close()

    def _keep(self, document: object) -> None:
        """Keep a document if it will be printed: those of 100,000 pictures take gigabytes."""
        if self._as_json:
            self._documents.append(document)

    def close(self, *, several: bool, summary: str | None = None) -> int:
        """Print the JSON document, or a list of them for `several` files; return the exit code.

        `summary` is the message that tells people of several files how many went well.
        """
        if summary and several and not self._as_json and not self._quiet:
            print_notice(summary, done=self._attempted - self._failed, failed=self._failed)
        if self._as_json:
            print_json(self._documents if several else self._documents[0])
        return common_exit_code(self._codes)


def _count(*, hidden: bool) -> Count:
    from kanna.cli.counting import Count  # few verbs need it

    return Count(hidden=hidden)
