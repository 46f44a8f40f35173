"""Writing what a scan finds: in transactions that end twice a second, so that no kill takes much.

What a row had from people, its tags and its note, outlives every change of the file.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Final, Self

from kanna.catalog.changes import Gone
from kanna.catalog.indexing import index_words
from kanna.catalog.matching_aliases import Alias, keep_aliases
from kanna.catalog.rows import FILE_COLUMNS, IMAGE_COLUMNS, ImageRow, ModelRow
from kanna.catalog.store import Library, path_of, path_value, told
from kanna.catalog.walking import Seen, Table
from kanna.catalog.wording import words_of

_PERIOD: Final = 0.4  # seconds
_BASE: Final = ("root", "path", "fingerprint", "size", "modified", "present", "catalogued")
_DIGESTS: Final = (
    "sha256", "data_sha256", "autov1", "blake3", "crc32", "embedding_checksum",
)  # fmt: skip


class Recorder:
    """Writes rows; use it as a context manager. Leaving it keeps all that was recorded."""

    def __init__(self, library: Library) -> None:
        """Write to `library`."""
        self._library = library
        self._begun: float | None = None

    def keep_model(self, seen: Seen, id_: int | None, found: ModelRow) -> None:
        """Record what was read of a model, under its old row if it has one."""
        with told(self._library.path):
            connection = self._writing()
            values = [getattr(found, name) for name in FILE_COLUMNS]
            id_ = _put(connection, seen, id_, FILE_COLUMNS, values, passing=found.passing)
            if id_ is not None:
                _put_details(connection, id_, found)
                index_words(connection, id_)
        self.keep_pace()

    def keep_image(self, seen: Seen, id_: int | None, found: ImageRow) -> None:
        """Record what was read of a picture."""
        with told(self._library.path):
            connection = self._writing()
            values = [getattr(found, name) for name in IMAGE_COLUMNS]
            id_ = _put(connection, seen, id_, IMAGE_COLUMNS, values, passing=found.passing)
            if id_ is not None:
                _put_prompt(connection, id_, found)
        self.keep_pace()

    def keep_place(self, seen: Seen, id_: int) -> None:
        """Record that a known file is where it is now: moved, back, or in another root."""
        with told(self._library.path):
            connection = self._writing()
            path = path_value(path_of(seen.path))
            _set_aside(connection, seen.table, path, id_)
            values = [seen.root, path, *_named(seen), seen.fingerprint, id_]
            name = ", name = ?" if seen.table == "file" else ""
            connection.execute(
                f"UPDATE {seen.table} SET root = ?, path = ?{name}, fingerprint = ?, present = 1"  # noqa: S608 - words of ours
                " WHERE id = ?",
                values,
            )
            if seen.table == "file":
                index_words(connection, id_)
        self.keep_pace()

    def keep_gone(self, gone: Gone) -> bool:
        """Record that a file is no longer where it was, unless its row has moved meanwhile."""
        with told(self._library.path):
            cursor = self._writing().execute(
                f"UPDATE {gone.table} SET present = 0 WHERE id = ? AND path = ? AND present = 1",  # noqa: S608 - words of ours
                (gone.id, gone.path),
            )
        self.keep_pace()
        return bool(cursor.rowcount)

    def keep_digests(self, id_: int, digests: dict[str, str | None]) -> None:
        """Record the digests of a file; what is known of a file that is gone and was the same."""
        with told(self._library.path):
            connection = self._writing()
            names = ", ".join(f"{name} = ?" for name in _DIGESTS)
            values = [digests.get(name) for name in _DIGESTS]
            cursor = connection.execute(
                f"UPDATE file SET {names}, hashed = ? WHERE id = ?",  # noqa: S608 - words of ours
                [*values, time.time(), id_],
            )
            if cursor.rowcount:  # nobody has forgotten it meanwhile
                _inherit(connection, id_, digests.get("sha256"))
        self.keep_pace()

    def keep_part_digests(self, id_: int, digests: dict[str, str]) -> None:
        """Record the component digests of a model's parts, by prefix."""
        with told(self._library.path):
            self._writing().executemany(
                "UPDATE part SET digest = ? WHERE file = ? AND prefix = ?",
                [(digest, id_, prefix) for prefix, digest in digests.items()],
            )
        self.keep_pace()

    def keep_pace(self) -> None:
        """End the transaction where it has lasted long enough."""
        if self._begun is not None and time.monotonic() - self._begun > _PERIOD:
            self.close()

    def close(self) -> None:
        """Make everything that was recorded last."""
        if self._begun is not None:
            self._begun = None
            with told(self._library.path):
                self._library.connection.commit()

    def __enter__(self) -> Self:
        """Return the recorder itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Keep what was recorded, whatever stopped the scan: each row is whole."""
        self.close()

    def _writing(self) -> sqlite3.Connection:
        if self._begun is None:
            self._library.connection.execute("BEGIN IMMEDIATE")
            self._begun = time.monotonic()
        return self._library.connection


def _named(seen: Seen) -> list[str]:
    """Return the name of a model, as text; pictures have no such column."""
    name = os.fsencode(Path(seen.path).name).decode("utf-8", "replace")
    return [name] if seen.table == "file" else []


def _put(
    connection: sqlite3.Connection, seen: Seen, id_: int | None, columns: tuple[str, ...],
    values: list[object], *, passing: bool,
) -> int | None:  # fmt: skip
    """Insert a row, or write over it; digests of another state of the file are dropped.

    Another scan may have been here: what it made of this path is taken up. None where the folder
    was forgotten meanwhile. A picture of `infotext search --in` is of no folder of the library.
    """
    known = connection.execute("SELECT 1 FROM root WHERE id = ?", (seen.root,)).fetchone()
    if known is None and seen.root is not None:
        return None
    path, now = path_value(path_of(seen.path)), time.time()
    id_ = _taken_up(connection, seen.table, path, id_)
    base = [seen.root, path, seen.fingerprint, seen.size, seen.mtime_ns / 1e9, 1,
            None if passing else now]  # fmt: skip
    names = [*_BASE, *columns]
    everything = [*base, *values]
    if seen.table == "file":
        names += ["name"]
        everything += _named(seen)
    if id_ is not None:
        fresh = [f"{name} = ?" for name in names]
        if seen.table == "file":
            stale = (f"{name} = CASE fingerprint WHEN ? THEN {name} END"
                     for name in (*_DIGESTS, "hashed"))  # fmt: skip
            fresh, everything = [*stale, *fresh], [*[seen.fingerprint] * 7, *everything]
        connection.execute(
            f"UPDATE {seen.table} SET {', '.join(fresh)} WHERE id = ?",  # noqa: S608 - words of ours
            [*everything, id_],
        )
        return id_
    if seen.table == "file":
        names, everything = [*names, "first_seen"], [*everything, now]
    marks = ", ".join("?" * len(names))
    cursor = connection.execute(
        f"INSERT INTO {seen.table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - words of ours
        everything,
    )
    return cursor.lastrowid


def _taken_up(
    connection: sqlite3.Connection, table: Table, path: str | bytes, id_: int | None
) -> int | None:
    """Return the row to write over: `id_` if it is still there, else the one at this path."""
    there = connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (id_,)).fetchone()  # noqa: S608 - words of ours
    if there is not None and id_ is not None:
        _set_aside(connection, table, path, id_)
        return id_
    row = connection.execute(f"SELECT id FROM {table} WHERE path = ?", (path,)).fetchone()  # noqa: S608 - words of ours
    return None if row is None else int(row[0])


def _set_aside(connection: sqlite3.Connection, table: Table, path: str | bytes, id_: int) -> None:
    """Free a path for row `id_`: the file that was there is gone, or has yet to be met elsewhere.

    Its row is kept under a path that no file has: it knows the state by which the file is met, and
    what people wrote.
    """
    row = connection.execute(
        f"SELECT id FROM {table} WHERE path = ? AND id <> ?",  # noqa: S608 - words of ours
        (path, id_),
    ).fetchone()
    if row is not None:
        mark = f" (#{row['id']})"
        aside = path + mark if isinstance(path, str) else path + mark.encode()
        connection.execute(
            f"UPDATE {table} SET path = ?, present = 0 WHERE id = ?",  # noqa: S608 - words of ours
            (aside, row["id"]),
        )


def _put_details(connection: sqlite3.Connection, id_: int, found: ModelRow) -> None:
    for table in ("identity", "part", "finding", "origin"):
        connection.execute(f"DELETE FROM {table} WHERE file = ?", (id_,))  # noqa: S608 - words of ours
    if found.identity is not None:
        connection.execute("INSERT INTO identity VALUES (?, ?)", (id_, found.identity))
    connection.executemany(
        "INSERT INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        [(id_, number, part.role, part.architecture, part.prefix, part.tensors, part.parameters,
          part.bytes, part.dtype) for number, part in enumerate(found.parts)],
    )  # fmt: skip
    connection.executemany(
        "INSERT OR IGNORE INTO finding VALUES (?, ?)", [(id_, code) for code in found.findings]
    )
    connection.executemany(
        "INSERT INTO origin VALUES (?, ?, ?, ?, ?)",
        [(id_, number, one.relation, one.name, one.digest)
         for number, one in enumerate(found.origins)],
    )  # fmt: skip
    keep_aliases(connection, id_, [Alias(*pair) for pair in found.aliases])


def _put_prompt(connection: sqlite3.Connection, id_: int, found: ImageRow) -> None:
    connection.execute("DELETE FROM image_model WHERE image = ?", (id_,))
    prompt = None
    if found.prompt or found.negative:
        prompt = _prompt(connection, found.prompt or "", found.negative or "")
    connection.execute("UPDATE image SET prompt = ? WHERE id = ?", (prompt, id_))
    for model in found.models:
        key = (model.role, model.name, model.digest)
        connection.execute(
            "INSERT OR IGNORE INTO named_model (role, name, digest) VALUES (?, ?, ?)", key
        )
        connection.execute(
            "INSERT OR IGNORE INTO image_model SELECT ?, id, ? FROM named_model"
            " WHERE role = ? AND name = ? AND digest = ?",
            (id_, model.weight, *key),
        )


def _prompt(connection: sqlite3.Connection, prompt: str, negative: str) -> int:
    """Return the id of a prompt, which is inserted with its words where it is new."""
    raw = f"{prompt}\0{negative}".encode("utf-8", "replace")
    digest = hashlib.sha256(raw).digest()[:16]
    row = connection.execute("SELECT id FROM prompt WHERE digest = ?", (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    cursor = connection.execute(
        "INSERT INTO prompt (digest, prompt, negative) VALUES (?, ?, ?)",
        (digest, prompt, negative),
    )
    connection.execute(
        "INSERT INTO prompt_words (rowid, prompt, negative) VALUES (?, ?, ?)",
        (cursor.lastrowid, words_of(prompt), words_of(negative)),
    )
    return cursor.lastrowid or 0


def _inherit(connection: sqlite3.Connection, id_: int, sha256: str | None) -> None:
    """Take over what people wrote of the same file that is gone: it came back as a copy."""
    gone = connection.execute(
        "SELECT id, name, note FROM file WHERE sha256 = ? AND present = 0 AND id <> ?",
        (sha256, id_),
    ).fetchall()
    for row in gone:
        connection.execute(
            "INSERT OR IGNORE INTO tag SELECT ?, word FROM tag WHERE file = ?", (id_, row["id"])
        )
        connection.execute(
            "UPDATE file SET note = coalesce(note, ?) WHERE id = ?", (row["note"], id_)
        )
        connection.execute(
            "INSERT OR IGNORE INTO alias SELECT ?, name, 'former' FROM alias"
            " WHERE file = ? AND source = 'former' UNION SELECT ?, ?, 'former'"
            " WHERE ? <> (SELECT name FROM file WHERE id = ?)",
            (id_, row["id"], id_, row["name"], row["name"], id_),
        )
        connection.execute("DELETE FROM file_words WHERE rowid = ?", (row["id"],))
        connection.execute("DELETE FROM file WHERE id = ?", (row["id"],))
    if gone:
        index_words(connection, id_)
