"""The library's file: one SQLite database, opened, brought to the newest schema, and locked well.

The tables are described in ``schema/0001.sql``; each later file there is one step of migration, and
``PRAGMA user_version`` is the number of the last one; ``application_id`` tells a library from the
databases of other programs, which stay as they are. A library is never replaced or put aside: it
holds tags and notes that exist nowhere else.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

from kanna.errors import FormatError, Incomplete, KannaError, UsageError

_PATIENCE: Final = 30  # seconds to wait for another process that writes
_STEPS: Final = 1  # the newest schema
_OURS: Final = 0x6B616E61  # "kana", in application_id


class Library:
    """An open library. Use it as a context manager; one thread at a time."""

    __slots__ = ("connection", "path")

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Open the library at `path`; with `make`, it is made where there is none.

        Raises:
            Incomplete: there is none, and `make` is false.
            FormatError: the file is no library, or it is damaged.
            UsageError: it was written by a newer kanna, or its folder cannot be made.
        """
        if not make and not path.exists():
            raise Incomplete("library.none", path=path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError("disk.no_folder", path=path.parent, reason=error.strerror) from error
        self.path = path
        self.connection = _connect(path)
        try:
            with told(path):
                self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query.

        Raises:
            KannaError: the library cannot be read.
        """
        with told(self.path):
            return self.connection.execute(query, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Do everything inside as one transaction: all of it is kept, or nothing.

        Raises:
            KannaError: the library cannot be written.
        """
        with told(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def close(self) -> None:
        """Close the library."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Return the library itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the library."""
        self.close()

    def _prepare(self) -> None:
        # the tables first: another process may be making them, all at once
        (tables,) = self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (whose,) = self.connection.execute("PRAGMA application_id").fetchone()
        if whose != _OURS and (tables or whose):
            raise FormatError("library.other_database", path=self.path)
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version > _STEPS:
            raise UsageError("library.newer", path=self.path, version=version, known=_STEPS)
        self.connection.execute("PRAGMA foreign_keys = ON")
        if version == _STEPS:
            return
        self.connection.execute("PRAGMA journal_mode = WAL")
        for step in range(version + 1, _STEPS + 1):
            self._migrate(step)

    def _migrate(self, step: int) -> None:
        """Take one step, whole or not at all; another process may have taken it meanwhile."""
        with self.writing() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version >= step:
                return
            for statement in _statements(step):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_OURS}")
            connection.execute(f"PRAGMA user_version = {step}")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite complains of into an error about the library at `path`.

    Raises:
        FormatError: the file is no database, or it is damaged.
        KannaError: it is locked for long, the disk is full, or it may not be written.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise FormatError("library.damaged", path=path) from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise KannaError("library.busy", path=path) from error
        if code in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_CONSTRAINT}:
            raise  # a mistake of ours
        raise KannaError("library.unusable", path=path, reason=error) from error


def path_value(path: Path) -> str | bytes:
    """Return `path` as the library stores it: text, or bytes where it is no valid Unicode."""
    return text_value(os.fspath(path))


def text_value(text: str) -> str | bytes:
    """Return a path that is given as text as the library stores it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def path_of(value: str | bytes) -> Path:
    """Return a stored path."""
    return Path(os.fsdecode(value))


def _connect(path: Path) -> sqlite3.Connection:
    # SQLite keeps files beside the library; where it cannot, nobody else writes to it either
    fixed = path.exists() and not os.access(path.parent, os.W_OK)
    place = f"{path.absolute().as_uri()}?immutable=1" if fixed else path
    with told(path):
        connection = sqlite3.connect(place, timeout=_PATIENCE, isolation_level=None, uri=fixed)
        connection.row_factory = sqlite3.Row
        return connection


def _statements(step: int) -> Iterator[str]:
    """Yield the statements of a step's file; each ends with a semicolon at the end of a line."""
    text = files("kanna.catalog").joinpath(f"schema/{step:04}.sql").read_text("utf-8")
    pending: list[str] = []
    for line in text.splitlines():
        pending.append(line)
        statement: Any = "\n".join(pending)
        if sqlite3.complete_statement(statement):
            yield statement
            pending.clear()
