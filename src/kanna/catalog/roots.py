"""The folders of a library: what the user named, what follows from it, and what is taken out."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanna.catalog.program_folders import Layout, layout_of
from kanna.catalog.programs import Content, Place, Role
from kanna.catalog.store import Library, path_of, path_value
from kanna.disk import absolute
from kanna.errors import Incomplete, KannaError, UsageError
from kanna.model import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A folder that is looked through; see the table ``root``."""

    id: int
    path: Path
    source: Path
    program: str | None
    role: Role
    content: Content
    kind: str | None

    @property
    def is_there(self) -> bool:
        """Whether the folder is there now: a disk may be missing."""
        return os.path.isdir(self.path)  # noqa: PTH112 - Path.is_dir raises where a name is too long

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "path": str(self.path), "source": str(self.source), "program": self.program,
            "role": self.role, "content": self.content, "kind": self.kind, "there": self.is_there,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of naming a folder: its roots, those that are new, and remarks."""

    source: Path
    program: str | None
    roots: tuple[Root, ...]
    new: tuple[Root, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the library knows alone of the files below a folder: how many have tags, a note."""

    roots: tuple[Root, ...]
    files: int
    images: int
    tagged: int
    noted: int


def roots_of(library: Library) -> list[Root]:
    """Return all roots, sorted by source and path."""
    return [_root(row) for row in library.rows("SELECT * FROM root ORDER BY source, path")]


def left_out(library: Library) -> list[Path]:
    """Return the folders that the user took out, though what was named has them."""
    return [path_of(row["path"]) for row in library.rows("SELECT path FROM left_out")]


def add_source(
    library: Library, source: Path, *, role: Role, content: Content, dry_run: bool = False
) -> Added:
    """Take up a folder, or a settings file that names folders; one that is there is set anew.

    What was taken out of it before is taken up again.

    With `dry_run` the answer is the same, and the library stays as it is.

    Raises:
        Incomplete: there is no such folder, or no folder follows from it.
        UsageError: it is a file, and none that names folders.
        KannaError: the library cannot be written, or the file not be read.
    """
    path = absolute(source)
    if not path.exists():
        raise Incomplete("library.no_folder", path=path)
    if path.is_file() and path.suffix.lower() not in {".yaml", ".yml"}:
        raise UsageError("library.not_a_folder", path=path)
    layout = layout_of(path)
    if not layout.places:
        raise Incomplete("library.no_folders_named", path=path)
    with library.writing() as connection:
        connection.execute("SAVEPOINT before")
        connection.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " program = excluded.program, role = excluded.role, content = excluded.content",
            (path_value(path), layout.program, role, content, time.time()),
        )
        connection.execute("DELETE FROM left_out WHERE ? IN (path, source)", (path_value(path),))
        new = _take_up(connection, path, layout, role, content)
        mine = [root for root in roots_of(library) if root.source == path]
        if dry_run:
            connection.execute("ROLLBACK TO before")
    return Added(
        source=path, program=layout.program, roots=tuple(mine),
        new=tuple(root for root in mine if root.id in new), notes=layout.notes,
    )  # fmt: skip


def refresh(library: Library) -> list[Note]:
    """Ask every source again which folders follow from it, and take up those that are new.

    Folders that are remembered stay, whatever the settings say now: a disk may be missing.
    """
    notes: list[Note] = []
    for row in library.rows("SELECT * FROM source WHERE program IS NOT NULL ORDER BY path"):
        source = path_of(row["path"])
        if not source.exists():
            continue
        try:
            layout = layout_of(source)
        except KannaError as error:
            notes.append(Note(error.key, error.values))
            continue
        notes += layout.notes
        known = {*left_out(library), *(root.path for root in roots_of(library))}
        if any(place.path not in known for place in layout.places):
            with library.writing() as connection:
                _take_up(connection, source, layout, row["role"], row["content"])
    return notes


def loss_of(library: Library, folder: Path) -> Loss:
    """Return what forgetting a folder would take: that of a source, or of single roots.

    Raises:
        Incomplete: the library does not look through it.
    """
    roots = _meant(library, folder)
    marks, values = _marked(roots)
    count = f"SELECT count(*) AS n FROM file WHERE root IN ({marks})"  # noqa: S608 - marks only
    images = f"SELECT count(*) AS n FROM image WHERE root IN ({marks})"  # noqa: S608 - likewise
    tagged = " AND id IN (SELECT file FROM tag)"
    return Loss(
        roots=tuple(roots),
        files=library.rows(count, values)[0]["n"],
        images=library.rows(images, values)[0]["n"],
        tagged=library.rows(count + tagged, values)[0]["n"],
        noted=library.rows(count + " AND note IS NOT NULL", values)[0]["n"],
    )


def forget(library: Library, folder: Path) -> None:
    """Take out roots, and the rows of all files that belong to them; the files stay untouched.

    Raises:
        Incomplete: the library does not look through `folder`.
        KannaError: the library cannot be written.
    """
    roots = _meant(library, folder)
    marks, values = _marked(roots)
    with library.writing() as connection:
        connection.execute(
            f"DELETE FROM file_words WHERE rowid IN (SELECT id FROM file WHERE root IN ({marks}))",  # noqa: S608 - marks only
            values,
        )
        connection.execute(
            f"INSERT OR REPLACE INTO left_out SELECT path, source FROM root WHERE id IN ({marks})"  # noqa: S608 - likewise
            " AND path <> source",
            values,
        )
        for table in ("file", "image"):
            connection.execute(f"DELETE FROM {table} WHERE root IN ({marks})", values)  # noqa: S608 - likewise
        connection.execute(f"DELETE FROM root WHERE id IN ({marks})", values)  # noqa: S608 - likewise
        connection.execute(
            "DELETE FROM source WHERE path = ? OR path NOT IN (SELECT source FROM root)",
            (path_value(absolute(folder)),),
        )


def _meant(library: Library, folder: Path) -> list[Root]:
    """Return the roots of a source, or those at and below a folder."""
    path = absolute(folder)
    every = roots_of(library)
    found = [root for root in every if root.source == path]
    found = found or [root for root in every if root.path.is_relative_to(path)]
    if not found:
        raise Incomplete("library.no_such_root", path=path)
    return found


def _take_up(
    connection: sqlite3.Connection, source: Path, layout: Layout, role: Role, content: Content
) -> set[int]:
    """Insert the roots of a layout that are not there, and set anew those that are."""
    new: set[int] = set()
    gone = {row["path"] for row in connection.execute("SELECT path FROM left_out")}
    for place in _wanted(layout.places, content):
        if path_value(place.path) in gone:
            continue
        kept = content if content != "both" and place.content == "both" else place.content
        values = (path_value(place.path), path_value(source), layout.program,
                  place.role or role, kept, place.kind, time.time())  # fmt: skip
        cursor = connection.execute(
            "INSERT OR IGNORE INTO root (path, source, program, role, content, kind, added)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        if cursor.rowcount:
            new.add(cursor.lastrowid or 0)
        else:
            connection.execute(
                "UPDATE root SET role = ?, content = ? WHERE path = ? AND source = ?",
                (place.role or role, kept, values[0], values[1]),
            )
    return new


def _wanted(places: Sequence[Place], content: Content) -> Iterable[Place]:
    """Return the places that hold what the user asked for."""
    return [place for place in places if "both" in {content, place.content} or
            content == place.content]  # fmt: skip


def _marked(roots: Sequence[Root]) -> tuple[str, list[int]]:
    return ", ".join("?" * len(roots)), [root.id for root in roots]


def _root(row: sqlite3.Row) -> Root:
    return Root(
        id=row["id"], path=path_of(row["path"]), source=path_of(row["source"]),
        program=row["program"], role=row["role"], content=row["content"], kind=row["kind"],
    )  # fmt: skip
