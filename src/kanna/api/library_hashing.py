"""The digests of a library's files: those that have none, the smallest first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kanna.api.hashing import HashedFile, HashOptions, hash_files
from kanna.catalog.recording import Recorder
from kanna.catalog.states import HASHABLE
from kanna.catalog.store import Library, path_of
from kanna.disk import Fingerprint
from kanna.errors import KannaError
from kanna.hashing.cache import HashCache, PartDigest, key_at
from kanna.hashing.place import existing_cache
from kanna.model import Note

if TYPE_CHECKING:
    from kanna.api.library_scan_values import LibraryScanned, LibraryScanOptions
    from kanna.engine import Progress

_FILES: Final = (
    "SELECT id, path, fingerprint, size FROM file WHERE present AND hashed IS NULL"  # noqa: S608 - words of ours
    f" AND {HASHABLE} AND catalogued IS NOT NULL ORDER BY size, id"
)
_PARTLESS: Final = (
    "SELECT id, path, size FROM file WHERE present AND sha256 IS NOT NULL AND error IS NULL"
    " AND EXISTS (SELECT 1 FROM part WHERE file = file.id AND digest IS NULL) ORDER BY size, id"
)
_AT_ONCE: Final = 64  # files: what is finished is kept in their order


def hash_library(
    library: Library,
    done: LibraryScanned,
    options: LibraryScanOptions,
    tick: Callable[[int, int], None],
    folders: Sequence[Path] = (),
) -> None:
    """Compute the digests that are missing, of files in `folders` if there are any.

    `tick` hears of bytes done and of all bytes.

    A file that changed since its header was read is left to the next scan.

    Raises:
        Interrupted: the user stopped it; what is finished is kept.
        KannaError: the library cannot be written.
    """
    rows = _inside(library.rows(_FILES), folders)
    total = sum(row["size"] for row in rows)
    before = 0
    asked = HashOptions(threads=options.threads)
    with Recorder(library) as recorder:
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            paths = [path_of(row["path"]) for row in some]
            progress = _Forward(recorder, tick, before, total)
            for row, hashed in zip(some, hash_files(paths, asked, progress=progress), strict=True):
                _keep(recorder, row["id"], row["fingerprint"], hashed, done)
                before += row["size"]
                tick(before, total)
    _keep_parts(library, done, options, tick, folders)


def _inside(rows: list[sqlite3.Row], folders: Sequence[Path]) -> list[sqlite3.Row]:
    """Return the rows of files in one of the folders; of all files where none is named."""
    if not folders:
        return rows
    return [row for row in rows if any(map(path_of(row["path"]).is_relative_to, folders))]


class _Forward:
    """Tells of bytes of some of all files, and lets finished ones be kept meanwhile."""

    def __init__(
        self, recorder: Recorder, tick: Callable[[int, int], None], before: int, total: int
    ) -> None:
        self._recorder, self._tick, self._before, self._total = recorder, tick, before, total

    def __call__(self, progress: Progress) -> None:
        self._recorder.keep_pace()
        self._tick(self._before + progress.bytes_done, self._total)


def _keep(
    recorder: Recorder, id_: int, fingerprint: str, hashed: HashedFile, done: LibraryScanned
) -> None:
    if hashed.error is not None or hashed.digests is None:
        if hashed.error is not None:
            done.notes.append(Note(hashed.error.key, hashed.error.values))
        return
    if key_at(hashed.path) != fingerprint:
        return
    recorder.keep_digests(id_, asdict(hashed.digests))
    recorder.keep_pace()
    done.models.hashed += 1


def _keep_parts(
    library: Library,
    done: LibraryScanned,
    options: LibraryScanOptions,
    tick: Callable[[int, int], None],
    folders: Sequence[Path],
) -> None:
    """Take the component digests that the cache has; with `parts` compute the others."""
    rows = _inside(library.rows(_PARTLESS), folders)
    with Recorder(library) as recorder:
        if options.parts:
            asked = HashOptions(threads=options.threads, parts=True)
            paths = [path_of(row["path"]) for row in rows]
            total = sum(row["size"] for row in rows)
            progress = _Forward(recorder, tick, 0, total)
            for row, hashed in zip(rows, hash_files(paths, asked, progress=progress), strict=True):
                if hashed.error is not None:
                    done.notes.append(Note(hashed.error.key, hashed.error.values))
                found = [match.part for match in hashed.parts or ()]
                recorder.keep_part_digests(row["id"], _by_prefix(found))
            return
        place = existing_cache()
        if place is None:
            return
        with HashCache(place) as cache:
            for row in rows:
                try:
                    state = Fingerprint.of(path_of(row["path"]).stat())
                except (OSError, KannaError):
                    continue
                if parts := cache.parts(state):
                    recorder.keep_part_digests(row["id"], _by_prefix(parts))


def _by_prefix(parts: Sequence[PartDigest]) -> dict[str, str]:
    return {part.prefix: part.digest for part in parts}
