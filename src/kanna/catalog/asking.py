"""Which models a library has: by words, by what they are, by what people said of them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from kanna.catalog.conditions import Filters, conditions
from kanna.catalog.store import Library, path_of
from kanna.catalog.wording import asked

Sort: TypeAlias = Literal["name", "size", "modified", "family"]
SORTS: Final = get_args(Sort)
# Each with the number of the row, so that lists are the same every time.
_ORDERS: Final = {
    "name": "file.name COLLATE NOCASE, file.id",
    "size": "file.size DESC, file.id DESC",
    "modified": "file.modified DESC, file.id DESC",
    "family": "file.architecture IS NULL, file.architecture, file.kind, "
    "file.name COLLATE NOCASE, file.id",
}
_INDEXES: Final = {"name": "file_order", "size": "file_size", "modified": "file_modified"}
_FEW: Final = 2_000
_MOST: Final = 400  # rows for which tags and findings are looked up at once


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A model of the library; the fields are the columns of the table ``file``.

    Times are seconds since 1970, sizes bytes. `autov3` is the beginning of `data_sha256`. `tags`
    and `findings` are in alphabetical order. What is not known is None.
    """

    id: int
    path: Path
    name: str
    size: int
    modified: float
    present: bool
    container: str | None
    kind: str | None
    architecture: str | None
    variant: str | None
    certainty: str | None
    layout: str | None
    dtype: str | None
    quantization: str | None
    prediction: str | None
    title: str | None
    parameters: int | None
    error: str | None
    error_text: str | None
    sha256: str | None
    data_sha256: str | None
    autov1: str | None
    blake3: str | None
    crc32: str | None
    note: str | None
    tags: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    @property
    def autov2(self) -> str | None:
        """The first ten digits of the SHA-256."""
        return self.sha256[:10] if self.sha256 else None

    @property
    def autov3(self) -> str | None:
        """The first twelve digits of the data's SHA-256."""
        return self.data_sha256[:12] if self.data_sha256 else None

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **values, "path": str(self.path), "tags": list(self.tags),
            "findings": list(self.findings), "autov2": self.autov2, "autov3": self.autov3,
        }  # fmt: skip


_COLUMNS: Final = tuple(
    field.name for field in fields(FoundFile) if field.name not in {"tags", "findings"}
)
_SELECTED: Final = ", ".join(f"file.{name}" for name in _COLUMNS)


def find(
    library: Library, filters: Filters, *, sort: Sort = "name", limit: int | None = None
) -> tuple[FoundFile, ...]:
    """Return the models that are wanted, in order: names from A, sizes and times from the largest.

    Where no model has the words, those are taken in whose names they stand anywhere.

    Raises:
        KannaError: the library cannot be read.
    """
    rows = _select(library, filters, sort, limit)
    if not rows and asked(filters.words).wanted:
        rows = _select(library, _loosely(filters), sort, limit)
    return files_of(library, rows)


def count(library: Library, filters: Filters) -> int:
    """Return how many models `find` would return without a limit.

    Raises:
        KannaError: the library cannot be read.
    """
    number = _count(library, filters)
    return number or (_count(library, _loosely(filters)) if asked(filters.words).wanted else 0)


def files_of(library: Library, rows: list[sqlite3.Row]) -> tuple[FoundFile, ...]:
    """Return rows of the table ``file`` as values, with their tags and findings."""
    tags: dict[int, list[str]] = {}
    findings: dict[int, list[str]] = {}
    for start in range(0, len(rows), _MOST):
        numbers = [row["id"] for row in rows[start : start + _MOST]]
        tags |= _words(library, "tag", "word", numbers)
        findings |= _words(library, "finding", "code", numbers)
    return tuple(
        file_of(row, tuple(tags.get(row["id"], ())), tuple(findings.get(row["id"], ())))
        for row in rows
    )


def file_of(
    row: sqlite3.Row, tags: tuple[str, ...] = (), findings: tuple[str, ...] = ()
) -> FoundFile:
    """Return a row of the table ``file`` as a value."""
    values = {name: row[name] for name in _COLUMNS if name not in {"path", "present"}}
    return FoundFile(
        path=path_of(row["path"]), present=bool(row["present"]), tags=tags, findings=findings,
        **values,
    )  # fmt: skip


def _select(library: Library, filters: Filters, sort: Sort, limit: int | None) -> list[sqlite3.Row]:
    """Return the rows that are wanted.

    An index of the order finds the first of many at once, but walks past everything to find few.
    SQLite cannot know which of both it is.
    """
    condition = conditions(filters)
    some = f"SELECT count(*) FROM (SELECT 1 FROM file WHERE {condition.sql} LIMIT {_FEW})"
    few = library.rows(some, condition.values)[0][0] < _FEW
    order = f"+{_ORDERS[sort]}" if few else _ORDERS[sort]  # the plus keeps that index out
    walk = limit is not None and not few and sort in _INDEXES
    source = f"file INDEXED BY {_INDEXES[sort]}" if walk else "file"
    sql = f"SELECT {_SELECTED} FROM {source} WHERE {condition.sql} ORDER BY {order} LIMIT ?"
    return library.rows(sql, (*condition.values, -1 if limit is None else limit))


def _count(library: Library, filters: Filters) -> int:
    condition = conditions(filters)
    (row,) = library.rows(f"SELECT count(*) FROM file WHERE {condition.sql}", condition.values)
    return int(row[0])


def _loosely(filters: Filters) -> Filters:
    return replace(filters, words="", part_of_name=filters.words)


def _words(library: Library, table: str, column: str, numbers: list[int]) -> dict[int, list[str]]:
    marks = ", ".join("?" * len(numbers))
    sql = f"SELECT file, {column} FROM {table} WHERE file IN ({marks}) ORDER BY file, {column}"
    found: dict[int, list[str]] = {}
    for file, word in library.rows(sql, numbers):
        found.setdefault(file, []).append(word)
    return found
