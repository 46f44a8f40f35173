"""What was hashed once: one SQLite file, shared by every process of a user.

``hashes.v1.sqlite3`` lies in the user's cache folder, or in the folder that ``KANNA_CACHE`` names.
Anybody may read it, and delete it at any time:

- ``file``: one row for each state of a file. ``key`` is ``device:inode:size:mtime_ns``, so a file
  that was moved keeps its row and one that was changed loses it. ``path`` is where it was seen
  last, in the file system's bytes. ``origin`` is ``kanna``, or ``a1111`` for what was imported.
  The digests are lower-case hex, null where there is none.
- ``part``: the component digest (see `kanna.hashing.components`) of each part of a file in fp16.

A file that is no database is put aside under another name. A cache that cannot be read or written
for another reason, such as a full disk, is as good as none: no answer depends on it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from kanna.disk import Fingerprint
from kanna.hashing.digests import Digests

Result = TypeVar("Result")

_DIGESTS: Final = tuple(field.name for field in fields(Digests) if field.name != "size")
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS file (key TEXT PRIMARY KEY, path BLOB, origin TEXT, size INTEGER, "
    f"{', '.join(f'{name} TEXT' for name in _DIGESTS)}) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS part (key TEXT, number INTEGER, role TEXT, variant TEXT, "
    "prefix TEXT, digest TEXT, PRIMARY KEY (key, number)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS part_digest ON part (digest)",
)
_BROKEN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PATIENCE: Final = 3  # seconds to wait for another process that writes
# A file that is written on within the clock's step after it was hashed keeps its time.
_SETTLED_NS: Final = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFile:
    """A file that was hashed, and where it was then."""

    path: Path
    key: str
    origin: str
    digests: Digests

    @property
    def is_there(self) -> bool:
        """Whether the very same state of it is still there."""
        return key_at(self.path) == self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDigest:
    """The component digest of one part of a file; `variant` is None where it has no word."""

    role: str
    variant: str | None
    prefix: str
    digest: str


def key_at(path: Path) -> str | None:
    """Return the key of the file at `path` as it is now, or None where there is none."""
    try:
        return key_of(Fingerprint.of(path.stat()))
    except (OSError, ValueError):
        return None


def key_of(file: Fingerprint) -> str:
    """Return the key that a state of a file has in the cache."""
    return f"{file.device}:{file.inode}:{file.size}:{file.mtime_ns}"


def settled(file: Fingerprint) -> bool:
    """Whether a later change would show in the file's time: it is not being written right now."""
    return time.time_ns() - file.mtime_ns > _SETTLED_NS


class HashCache:
    """The cache of hashes; every method answers with nothing where it cannot be had."""

    def __init__(self, path: Path | None) -> None:
        """Use the database at `path`, which is made if there is none; None forgets at the end."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._given_up = False

    def find(self, file: Fingerprint) -> CachedFile | None:
        """Return what is known of this state of a file."""
        rows = self.files_at(key_of(file))
        return rows[0] if rows else None

    def files_at(self, key: str) -> list[CachedFile]:
        """Return the file with this key, if there is one."""
        return self._files("key = ?", (key,))

    def places(self) -> list[tuple[str, Path]]:
        """Return every key, and where its file was when it was hashed."""
        rows = self._rows("SELECT key, path FROM file", ())
        return [(key, Path(os.fsdecode(path))) for key, path in rows]

    def files_with(self, field: str, beginning: str) -> list[CachedFile]:
        """Return the files whose digest `field` begins with these digits; not all are kept."""
        if field not in _DIGESTS:
            return []
        return self._files(f"substr({field}, 1, ?) = ?", (len(beginning), beginning))

    def parts(self, file: Fingerprint) -> list[PartDigest]:
        """Return the digests of the parts of this state of a file."""
        query = "SELECT role, variant, prefix, digest FROM part WHERE key = ? ORDER BY number"
        rows = self._rows(query, (key_of(file),))
        return [PartDigest(role=r, variant=v, prefix=p, digest=d) for r, v, p, d in rows]

    def files_with_part(self, beginning: str) -> list[CachedFile]:
        """Return the files that hold a part whose digest begins with these digits."""
        held = "SELECT key FROM part WHERE substr(digest, 1, ?) = ?"
        return self._files(f"key IN ({held})", (len(beginning), beginning))

    def keep(
        self, path: Path, file: Fingerprint, digests: Digests, *, origin: str = "kanna"
    ) -> None:
        """Keep the digests of a file, unless it may be changing right now.

        What kanna computed itself replaces anything; what was imported replaces nothing.
        """
        if not settled(file):
            return
        verb = "REPLACE" if origin == "kanna" else "IGNORE"
        values = [getattr(digests, name) for name in _DIGESTS]
        row = (key_of(file), os.fsencode(path.absolute()), origin, digests.size, *values)
        marks = ", ".join("?" * len(row))
        self._write(f"INSERT OR {verb} INTO file VALUES ({marks})", [row])  # noqa: S608 - likewise

    def keep_parts(self, file: Fingerprint, parts: Iterable[PartDigest]) -> None:
        """Keep the digests of a file's parts."""
        if not settled(file):
            return
        rows = [
            (key_of(file), number, part.role, part.variant, part.prefix, part.digest)
            for number, part in enumerate(parts)
        ]
        self._write("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the cache; it is opened again when it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        """Return the cache itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the cache."""
        self.close()

    def _files(self, condition: str, values: Sequence[object]) -> list[CachedFile]:
        columns = ", ".join(_DIGESTS)
        query = f"SELECT path, key, origin, size, {columns} FROM file WHERE {condition}"  # noqa: S608 - names from above only
        return [
            CachedFile(
                path=Path(os.fsdecode(path)), key=key, origin=origin,
                digests=Digests(size=size, **dict(zip(_DIGESTS, digests, strict=True))),
            )
            for path, key, origin, size, *digests in self._rows(f"{query} ORDER BY path", values)
        ]  # fmt: skip

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._try(lambda: self._open().execute(query, values).fetchall()) or []

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        def write() -> None:
            with self._open() as connection:
                connection.executemany(statement, rows)

        self._try(write)

    def _try(self, action: Callable[[], Result]) -> Result | None:
        """Do something with the database; where it is broken, begin a new one and do it again."""
        for _ in range(0 if self._given_up else 2):
            try:
                self._open()
                return action()
            except sqlite3.DatabaseError as error:
                self.close()
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                self._given_up = code == sqlite3.SQLITE_BUSY  # it is not waited for again
                if code not in _BROKEN:
                    return None
                self._put_aside()
            except (OSError, ValueError):  # a name that is no text cannot be kept
                return None
        return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path or ":memory:", timeout=_PATIENCE)
            for statement in _SCHEMA:
                self._connection.execute(statement)
        return self._connection

    def _put_aside(self) -> None:
        assert self._path is not None
        with suppress(OSError):
            self._path.replace(self._path.with_suffix(f".broken-{time.time_ns()}"))
