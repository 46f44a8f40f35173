"""What changed since the last scan: what is there, merged with what the library has, path by path.

Both come sorted by path, and rows are read in pages, so that a million of them take no memory.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from kanna.catalog.store import Library, path_of, text_value
from kanna.catalog.walking import Seen, Table, Unreached, is_below

# `back` was gone and is there again as it was; `retry` was never read to the end.
What: TypeAlias = Literal["same", "new", "changed", "back", "retry"]
_PAGE: Final = 2000
_COLUMNS: Final = "id, path, fingerprint, present, catalogued, root"


class Change(NamedTuple):
    """A file that is there, and what of it is new; `id` is its row, if it has one."""

    what: What
    seen: Seen
    id: int | None
    root: int | None = None


class Gone(NamedTuple):
    """A row whose file was not seen where it was."""

    table: Table
    id: int
    path: str | bytes


def compare(
    library: Library, start: str, seen: Iterable[Seen], unreached: list[Unreached]
) -> Iterator[Change | Gone]:
    """Yield what is at and below `start`, and then what the library had there and was not seen.

    `unreached` is filled while `seen` is gone through; nothing below these places is gone.

    Raises:
        KannaError: the library cannot be read.
    """
    tables = {table: _Rows(library, table, start) for table in ("file", "image")}
    for one in seen:
        yield _change(one, tables[one.table].take(one.path))
    for rows in tables.values():
        for row in rows.rest():
            path = os.fsdecode(row["path"])
            if not any(is_below(path, place.path) for place in unreached):
                yield Gone(rows.table, row["id"], row["path"])


def moved_from(library: Library, seen: Seen) -> sqlite3.Row | None:
    """Return the row of the same state of a file that is no longer where that row says.

    Something else may be there now: names follow from what people do, tags belong to the data.
    """
    found = library.rows(
        f"SELECT {_COLUMNS} FROM {seen.table} WHERE fingerprint = ?",  # noqa: S608 - words of ours
        (seen.fingerprint,),
    )
    for row in found:
        path = path_of(row["path"])
        if os.fspath(path) != seen.path and not _holds(path, seen.fingerprint):
            return row
    return None


def _holds(path: Path, fingerprint: str) -> bool:
    """Whether the file of this state may be at `path`: two links to one file are two files."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return os.path.lexists(path)
    return fingerprint.startswith(f"{status.st_dev}:{status.st_ino}:")


def _change(seen: Seen, row: sqlite3.Row | None) -> Change:
    if row is None:
        return Change("new", seen, None)
    if row["fingerprint"] != seen.fingerprint:
        return Change("changed", seen, row["id"], row["root"])
    if row["catalogued"] is None:
        return Change("retry", seen, row["id"], row["root"])
    return Change("same" if row["present"] else "back", seen, row["id"], row["root"])


class _Rows:
    """The rows of a table at and below a folder, in the order of paths."""

    def __init__(self, library: Library, table: Table, start: str) -> None:
        self.table: Table = table
        self._library = library
        self._left: list[sqlite3.Row] = []
        self._odd = self._without_text(start)
        first = start.rstrip(os.sep)
        self._last, self._end = first + os.sep, first + chr(ord(os.sep) + 1)
        # nothing below a folder without a name in Unicode has one
        self._whole = isinstance(text_value(start), bytes)
        self._page: list[sqlite3.Row] = []  # reversed
        if not self._whole:
            self._page = self._rows("path = ?", first)

    def take(self, path: str) -> sqlite3.Row | None:
        """Return the row at `path`; those before it are left behind as not seen."""
        value = text_value(path)
        if isinstance(value, bytes):
            return self._odd.pop(value, None)
        while (row := self._next()) is not None and row["path"] < value:
            self._leave(self._page.pop())
        return self._page.pop() if row is not None and row["path"] == value else None

    def rest(self) -> Iterator[sqlite3.Row]:
        """Yield all rows that were not taken and are not known to be gone."""
        while self._next() is not None:
            self._leave(self._page.pop())
        yield from self._left
        yield from (row for row in self._odd.values() if row["present"])

    def _leave(self, row: sqlite3.Row) -> None:
        if row["present"]:
            self._left.append(row)

    def _next(self) -> sqlite3.Row | None:
        if not self._page and not self._whole:
            page = self._rows("path > ? AND path < ?", self._last, self._end)
            self._whole = len(page) < _PAGE
            self._last = page[-1]["path"] if page else self._last
            self._page = page[::-1]
        return self._page[-1] if self._page else None

    def _rows(self, condition: str, *values: object) -> list[sqlite3.Row]:
        query = f"SELECT {_COLUMNS} FROM {self.table} WHERE {condition} ORDER BY path LIMIT {_PAGE}"  # noqa: S608 - words of ours
        return self._library.rows(query, values)

    def _without_text(self, start: str) -> dict[bytes, sqlite3.Row]:
        """Return the rows whose path is no valid Unicode; there are few, and they sort apart."""
        rows = self._library.rows(
            f"SELECT {_COLUMNS} FROM {self.table} WHERE path >= x''"  # noqa: S608 - words of ours
        )
        return {row["path"]: row for row in rows if is_below(os.fsdecode(row["path"]), start)}
