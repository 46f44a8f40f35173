"""The library's rows follow files that kanna moved, renamed or removed: tags and notes stay."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from kanna.catalog.indexing import index_words
from kanna.catalog.store import Library, path_of, path_value
from kanna.disk import Fingerprint
from kanna.hashing.cache import key_of

_TABLES: Final = ("file", "image")


def moved(library: Library, pairs: Iterable[tuple[Path, Path]]) -> None:
    """Let the row of each file go with it, from its old path to its new one.

    Of a folder, the rows of all files in it go, too. A row that stood for the new path before
    gives its tags and its note to the one that comes.

    Raises:
        KannaError: the library cannot be written.
    """
    with library.writing() as connection:
        for old, new in pairs:
            for table in _TABLES:
                for before, after in list(_rows(connection, table, old, new)):
                    _move(connection, table, before, after)
                _show(connection, table, new)


def gone(library: Library, paths: Iterable[Path]) -> None:
    """Say of each file that it is there no more; its row stays, for its tags and its note.

    Raises:
        KannaError: the library cannot be written.
    """
    with library.writing() as connection:
        for path in paths:
            for table in _TABLES:
                for row, _ in list(_rows(connection, table, path, path)):
                    _change(connection, table, row["id"], present=0)


def _rows(
    connection: sqlite3.Connection, table: str, old: Path, new: Path
) -> Iterator[tuple[sqlite3.Row, Path]]:
    """Yield the rows of a path and of all below it, each with its new path."""
    below, end = (f"{os.fspath(old)}{sign}" for sign in (os.sep, chr(ord(os.sep) + 1)))
    query = f"SELECT * FROM {table} WHERE path = ? OR (path > ? AND path < ?)"  # noqa: S608 - names from above only
    values = (path_value(old), _value(below), _value(end))
    for row in connection.execute(query, values):
        yield row, new / path_of(row["path"]).relative_to(old)


def _value(text: str) -> str | bytes:
    """Return the beginning of paths as the library stores them."""
    return os.fsencode(text) if isinstance(path_value(Path(text)), bytes) else text


def _move(connection: sqlite3.Connection, table: str, row: sqlite3.Row, place: Path) -> None:
    before = connection.execute(
        f"SELECT * FROM {table} WHERE path = ? AND id != ?",  # noqa: S608 - likewise
        (path_value(place), row["id"]),
    ).fetchone()
    if before is not None:
        _take_over(connection, table, before, row)
    changes: dict[str, object] = {
        "path": path_value(place), "root": _root_of(connection, place), **_seen(place)
    }  # fmt: skip
    if table == "file":
        changes["name"] = os.fsencode(place.name).decode(errors="replace")
    _change(connection, table, row["id"], **changes)
    if table == "file":
        index_words(connection, row["id"])


def _take_over(
    connection: sqlite3.Connection, table: str, before: sqlite3.Row, row: sqlite3.Row
) -> None:
    """Remove a row whose place is taken, after what a person wrote into it went to the other."""
    if table == "file":
        connection.execute(
            "INSERT OR IGNORE INTO tag (file, word) SELECT ?, word FROM tag WHERE file = ?",
            (row["id"], before["id"]),
        )
        notes = dict.fromkeys(note for note in (row["note"], before["note"]) if note)
        _change(connection, table, row["id"], note="\n".join(notes) or None)
        connection.execute("DELETE FROM file_words WHERE rowid = ?", (before["id"],))
    connection.execute(f"DELETE FROM {table} WHERE id = ?", (before["id"],))  # noqa: S608 - likewise


def _show(connection: sqlite3.Connection, table: str, place: Path) -> None:
    """Say of a file that came back to the path of its row that it is there again."""
    query = f"SELECT id FROM {table} WHERE path = ? AND NOT present"  # noqa: S608 - likewise
    for (number,) in connection.execute(query, (path_value(place),)).fetchall():
        if seen := _seen(place):
            _change(connection, table, number, **seen)


def _seen(place: Path) -> dict[str, object]:
    """Return what a row says of the file at `place` as it is now; nothing where there is none."""
    try:
        status = place.stat()
    except OSError:
        return {}
    fingerprint = key_of(Fingerprint.of(status))
    seen: dict[str, object] = {"present": 1, "modified": status.st_mtime}
    return seen if place.is_dir() else {**seen, "fingerprint": fingerprint, "size": status.st_size}


def _root_of(connection: sqlite3.Connection, place: Path) -> int | None:
    """Return the innermost root that a path is in."""
    roots = [(path_of(row["path"]), row["id"]) for row in connection.execute("SELECT * FROM root")]
    around = [(len(path.parts), number) for path, number in roots if place.is_relative_to(path)]
    return max(around)[1] if around else None


def _change(connection: sqlite3.Connection, table: str, number: int, **columns: object) -> None:
    names = ", ".join(f"{name} = ?" for name in columns)
    statement = f"UPDATE {table} SET {names} WHERE id = ?"  # noqa: S608 - likewise
    connection.execute(statement, (*columns.values(), number))
