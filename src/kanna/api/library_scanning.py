"""Bringing a library up to date: what is new in its folders is read, what is gone is noted.

::

    refresh the roots ─ walk ─ compare ─▶ same: nothing
                                       ├▶ new or changed, but another row has this state, and
                                       │    its file is not where it was: it moved here
                                       ├▶ new, changed ─ read by worker processes ─▶ rows
                                       └▶ not seen ─▶ gone
    then: digests of every file that has none, the smallest first

Whatever is finished is kept, at least twice a second; a scan that was stopped goes on where it was.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from kanna.api.library_asking import open_library
from kanna.api.library_hashing import hash_library
from kanna.api.library_readers import Reading
from kanna.api.library_scan_values import (
    LibraryScanned,
    LibraryScanOptions,
    LibraryScanProgress,
)
from kanna.api.reading import StrPath
from kanna.catalog.changes import Change, Gone, compare, moved_from
from kanna.catalog.image_search import tidy_prompts
from kanna.catalog.recording import Recorder
from kanna.catalog.roots import Root, left_out, refresh, roots_of
from kanna.catalog.rows import ImageRow, ModelRow
from kanna.catalog.store import Library
from kanna.catalog.walking import Unreached, Walk
from kanna.disk import absolute
from kanna.engine import RunOptions
from kanna.errors import Incomplete
from kanna.model import Note

_MOST_NOTES: Final = 100
_MOST_READERS: Final = 32  # one process writes what all of them read
_LOOKED_AT: Final = 1000  # rows of each index
_PERIOD: Final = 0.1  # seconds between two reports
_HELD: Final = (
    "SELECT EXISTS (SELECT 1 FROM file WHERE root = ? AND present)"
    " OR EXISTS (SELECT 1 FROM image WHERE root = ? AND present)"
)


def library_scan(
    folders: Sequence[StrPath] = (),
    options: LibraryScanOptions | None = None,
    *,
    library: StrPath | None = None,
    progress: Callable[[LibraryScanProgress], None] = lambda _: None,
) -> LibraryScanned:
    """Bring the library up to date with its folders, or with `folders` that are at or in them.

    Raises:
        Incomplete: there is no library, it has no folders, or does not look through one of those.
        UsageError: the number of threads is none.
        KannaError: the library cannot be written.
    """
    with open_library(library) as opened:
        scan = _Scan(opened, options or LibraryScanOptions(), progress)
        return scan.run([*map(absolute, folders)])


class _Scan:
    """One scan."""

    def __init__(
        self,
        library: Library,
        options: LibraryScanOptions,
        progress: Callable[[LibraryScanProgress], None],
    ) -> None:
        self._library, self._options, self._report = library, options, progress
        self._workers = RunOptions(threads=options.threads).thread_count(_MOST_READERS)
        self._done = LibraryScanned()
        self._progress = LibraryScanProgress()
        self._begun = time.monotonic()
        self._reported = 0.0
        self._moved: set[tuple[str, int]] = set()
        self._left: list[Gone] = []
        self._changed: list[Change] = []
        self._displaced: set[tuple[str, int]] = set()

    def run(self, folders: Sequence[Path]) -> LibraryScanned:
        if not self._options.dry_run:
            self._done.notes += refresh(self._library)
        roots = roots_of(self._library)
        if not roots:
            raise Incomplete("library.no_roots", path=self._library.path)
        walk = Walk(roots, left_out(self._library))
        starts = self._starts(walk, roots, folders)
        with Recorder(self._library) as recorder:
            self._look(walk, starts, recorder)
            for gone in self._left:
                if (gone.table, gone.id) not in self._moved:
                    self._done.of(gone.table).gone += self._options.dry_run or (
                        recorder.keep_gone(gone)
                    )
            for table, _ in self._displaced - self._moved:
                self._done.of(table).gone += 1
        self._note_unreached(walk.unreached)
        if not self._options.dry_run:
            self._finish(folders)
        self._done.seconds = time.monotonic() - self._begun
        return self._done

    def _finish(self, folders: Sequence[Path]) -> None:
        if self._options.hash:
            self._progress.stage = "hash"
            hash_library(self._library, self._done, self._options, self._tick_bytes, folders)
        self._tidy()

    def _tidy(self) -> None:
        """Let SQLite know what it holds now, if that is not what it held before."""
        counts = (self._done.models, self._done.images)
        if any(one.new or one.changed or one.moved or one.gone or one.hashed for one in counts):
            with self._library.writing() as connection:
                tidy_prompts(connection)
                connection.execute(f"PRAGMA analysis_limit = {_LOOKED_AT}")
                connection.execute("ANALYZE")

    def _starts(self, walk: Walk, roots: Sequence[Root], folders: Sequence[Path]) -> list[str]:
        """Return where to look, and note the roots that are missing or stand empty.

        An empty folder that held files may be where a disk belongs.
        """
        self._done.missing = [root for root in roots if not root.is_there or self._is_bare(root)]
        missing = {os.fspath(root.path) for root in self._done.missing}
        starts = walk.starts()
        if folders:
            starts = [start for folder in folders for start in _within(folder, roots, starts)]
        walk.unreached += [Unreached(path, "") for path in missing]
        return [start for start in dict.fromkeys(starts) if start not in missing]

    def _is_bare(self, root: Root) -> bool:
        """Whether a root is empty, and the library knows files in it."""
        try:
            with os.scandir(root.path) as entries:
                if next(entries, None) is not None:
                    return False
        except OSError:
            return False  # the walk tells why
        return bool(self._library.rows(_HELD, (root.id, root.id))[0][0])

    def _look(self, walk: Walk, starts: Sequence[str], recorder: Recorder) -> None:
        """Go through all folders; what must be read is read meanwhile."""
        with Reading(self._workers, recorder, self._keep) as work:
            for start in starts:
                changes = compare(self._library, start, walk.through(start), walk.unreached)
                for change in changes:
                    if isinstance(change, Gone):
                        self._left.append(change)
                    elif (unread := self._settled(change, recorder)) is not None:
                        self._progress.asked += 1
                        work.add(unread)
                    self._tick()
                    recorder.keep_pace()
            for change in self._changed:
                if (unread := self._replaced(change)) is not None:
                    self._progress.asked += 1
                    work.add(unread)
                self._tick()
            self._progress.stage = "read"
            for _ in work.finish():
                self._tick()
                recorder.keep_pace()

    def _settled(self, change: Change, recorder: Recorder) -> Change | None:
        """Record what needs no reading; return what does."""
        self._progress.seen += 1
        counts, seen = self._done.of(change.seen.table), change.seen
        if change.what in {"same", "back"} and change.id is not None and not self._options.full:
            if (change.what == "back" or change.root != seen.root) and not self._options.dry_run:
                recorder.keep_place(seen, change.id)
            counts.back += change.what == "back"
            counts.unchanged += change.what == "same"
            return None
        if change.what in {"new", "changed"} and (row := moved_from(self._library, seen)):
            return self._come(change, row, recorder)
        if change.what == "changed":
            self._changed.append(change)
            return None
        counts.new += change.what == "new"
        counts.changed += change.what != "new"
        return None if self._options.dry_run else change

    def _come(self, change: Change, row: sqlite3.Row, recorder: Recorder) -> Change | None:
        """Record that the file of a row is here now; what was here before may be met elsewhere."""
        seen, dry = change.seen, self._options.dry_run
        if change.id is not None:
            self._displaced.add((seen.table, change.id))
        if not dry:
            recorder.keep_place(seen, row["id"])
        self._moved.add((seen.table, row["id"]))
        self._done.of(seen.table).moved += 1
        return None if dry or row["catalogued"] is not None else change._replace(id=row["id"])

    def _replaced(self, change: Change) -> Change | None:
        """Return what must be read of a file that is not what it was, now that all were seen.

        Where the former file has been met elsewhere, its row went with it: this one is new.
        """
        new = (change.seen.table, change.id) in self._moved
        counts = self._done.of(change.seen.table)
        counts.new += new
        counts.changed += not new
        if self._options.dry_run:
            return None
        return change._replace(id=None) if new else change

    def _keep(self, recorder: Recorder, change: Change, row: dict[str, Any]) -> None:
        """Record what was read."""
        self._progress.read += 1
        self._done.of(change.seen.table).broken += row["error"] is not None
        if change.seen.table == "image":
            recorder.keep_image(change.seen, change.id, ImageRow.of_json(row))
        else:
            recorder.keep_model(change.seen, change.id, ModelRow.of_json(row))

    def _note_unreached(self, unreached: Sequence[Unreached]) -> None:
        told = [place for place in unreached if place.reason]
        for place in told[:_MOST_NOTES]:
            values = {"path": place.path, "reason": place.reason}
            self._done.notes.append(Note("library.folder_unread", values))
        if len(told) > _MOST_NOTES:
            count = {"count": len(told) - _MOST_NOTES}
            self._done.notes.append(Note("library.more_unread", count))

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._reported > _PERIOD:
            self._reported = now
            self._progress.seconds = now - self._begun
            self._report(self._progress)

    def _tick_bytes(self, done: int, total: int) -> None:
        self._progress.bytes_done, self._progress.bytes_total = done, total
        self._tick()


def _within(folder: Path, roots: Sequence[Root], starts: Sequence[str]) -> Iterator[str]:
    """Yield where to look for what is at and below `folder`: itself, or the roots in it."""
    if any(folder.is_relative_to(root.path) for root in roots):
        yield os.fspath(folder)
        return
    inner = [start for start in starts if Path(start).is_relative_to(folder)]
    if not inner:
        raise Incomplete("library.no_such_root", path=folder)
    yield from inner
