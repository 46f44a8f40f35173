"""What a library holds more than once: files, data, models in another precision, parts.

Equality is that of digests; files that were never hashed are counted, and told as possible only.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from kanna.catalog.asking import FoundFile, files_of
from kanna.catalog.conditions import Condition
from kanna.catalog.keeping import Copy, best_first, reason
from kanna.catalog.same_parts import SharedPart, count_unparted, one_file, shared_parts
from kanna.catalog.states import HASHABLE, content, is_unchanged, place_on_disk
from kanna.catalog.store import Library, path_of

# How files are the same: byte for byte; their tensors; their data, of which the headers say other
# things; the numbers of every part, rounded to fp16; by nothing but their sizes and headers.
Sameness: TypeAlias = Literal["file", "data", "header", "twin", "possible"]
_SAMENESSES: Final = get_args(Sameness)
_REMOVABLE: Final = {"file", "data"}
# What headers must agree in for one file to stand in for the other.
_HEADER: Final = (
    "kind", "architecture", "variant", "layout", "dtype", "quantization", "prediction", "tensors",
    "parameters", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SameFiles:
    """Models that are the same, the one to keep first.

    `reason` says what speaks for it: ``tagged``, ``active``, ``header``, ``named``, ``first`` or
    ``path``; it is empty where nothing is removable. `links` are further names of the very same
    files, which take no room; `changed` are files that are not as they were when they were hashed,
    or cannot be reached, and neither kept nor removed. `bytes` is what removing all but the first
    one wins.
    """

    sameness: Sameness
    files: tuple[FoundFile, ...]
    links: tuple[Path, ...]
    changed: tuple[Path, ...]
    reason: str
    bytes: int

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "same": self.sameness, "keep": str(self.files[0].path) if self.reason else None,
            "reason": self.reason or None, "bytes": self.bytes,
            "files": [one_file(one) for one in self.files],
            "links": [str(path) for path in self.links],
            "changed": [str(path) for path in self.changed],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dupes:
    """All that is there more than once, the most bytes first.

    `unhashed` files could not be compared, nor the parts of `unparted` models, which is None unless
    parts were asked for. `bytes` is what removing files wins, without parts.
    """

    groups: tuple[SameFiles, ...]
    parts: tuple[SharedPart, ...]
    unhashed: int
    unparted: int | None = None

    @property
    def bytes(self) -> int:
        """What removing all copies wins."""
        return sum(group.bytes for group in self.groups)

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "bytes": self.bytes, "unhashed": self.unhashed, "unparted": self.unparted,
            "groups": [group.to_json() for group in self.groups],
            "parts": [part.to_json() for part in self.parts],
        }  # fmt: skip


def dupes(library: Library, condition: Condition, *, parts: bool = False) -> Dupes:
    """Return what the models that fit `condition` have in common, with `parts` those inside, too.

    Raises:
        KannaError: the library cannot be read.
    """
    groups = [*_equal(library, condition), *_twins(library, condition)]
    groups += _possible(library, condition)
    unhashed = library.rows(
        f"SELECT count(*) FROM file WHERE {condition.sql} AND sha256 IS NULL AND error IS NULL"
        f" AND {HASHABLE}",
        condition.values,
    )[0][0]
    shared = [*shared_parts(library, condition)] if parts else []
    groups.sort(key=lambda one: (_SAMENESSES.index(one.sameness), -one.bytes, -one.files[0].size))
    shared.sort(key=lambda one: (-one.bytes, one.digest))
    return Dupes(
        groups=tuple(groups), parts=tuple(shared), unhashed=unhashed,
        unparted=count_unparted(library, condition) if parts else None,
    )  # fmt: skip


def _equal(library: Library, condition: Condition) -> Iterator[SameFiles]:
    """Yield the files whose data or, where that has no digest, whose bytes are the same."""
    for key in ("data_sha256", "sha256"):
        narrowed = f"{condition.sql} AND data_sha256 IS NULL" * (key == "sha256") or condition.sql
        for rows in _rows_by(library, key, Condition(narrowed, condition.values)):
            for sameness, some in _by_header(rows):
                yield from _grouped(library, some, sameness)


def _by_header(rows: Sequence[sqlite3.Row]) -> Iterator[tuple[Sameness, list[sqlite3.Row]]]:
    """Yield rows of the same data together where their headers agree, then one row of each kind."""
    said = {row["sha256"]: tuple(row[name] for name in _HEADER) for row in rows}
    alike: dict[tuple[object, ...], list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        alike[said[row["sha256"]]].append(row)
    for some in alike.values():
        yield "file" if len({row["sha256"] for row in some}) == 1 else "data", some
    yield "header", [some[0] for some in alike.values()]


def _twins(library: Library, condition: Condition) -> Iterator[SameFiles]:
    """Yield the files whose parts all have the same numbers while their data differ."""
    sets: dict[tuple[str, ...], list[int]] = defaultdict(list)
    rows = library.rows(
        "SELECT file.id, group_concat(part.role || coalesce(part.digest, '?'), ' ') AS parts,"
        " count(*) = count(part.digest) AS whole"
        f" FROM file JOIN part ON part.file = file.id WHERE {condition.sql} GROUP BY file.id",
        condition.values,
    )
    for row in rows:
        if row["whole"]:
            sets[tuple(sorted(row["parts"].split()))].append(row["id"])
    for numbers in sets.values():
        if len(numbers) > 1:
            found = _rows(library, numbers)
            if len({content(row) for row in found}) > 1:
                yield from _grouped(library, _one_of_each(found), "twin")


def _one_of_each(rows: Iterable[sqlite3.Row]) -> list[sqlite3.Row]:
    """Return one row of those with the same data: copies are told as such already."""
    return [*{content(row): row for row in rows}.values()]


def _possible(library: Library, condition: Condition) -> Iterator[SameFiles]:
    """Yield files of which one was not hashed, and whose sizes and headers do not differ."""
    alike = "file.size, file.container, file.kind, file.architecture, file.tensors, file.dtype"
    groups = library.rows(
        f"SELECT group_concat(file.id) AS ids FROM file WHERE {condition.sql}"
        f" AND file.error IS NULL AND file.tensors > 0 GROUP BY {alike}"
        " HAVING count(*) > 1 AND count(*) > count(file.sha256)",
        condition.values,
    )
    for group in groups:
        by_header: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in _rows(library, [int(number) for number in group["ids"].split(",")]):
            by_header[row["header"] or ""].append(row)
        for header, rows in by_header.items():
            if header and any(row["sha256"] is None for row in rows):
                yield from _grouped(library, _one_of_each(rows), "possible")


def _rows_by(library: Library, key: str, condition: Condition) -> Iterator[list[sqlite3.Row]]:
    several = (
        f"SELECT {key} FROM file WHERE {key} IS NOT NULL AND present = 1"
        f" GROUP BY {key} HAVING count(*) > 1"
    )
    groups: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in library.rows(
        f"SELECT file.* FROM file WHERE {condition.sql} AND {key} IN ({several}) ORDER BY path",
        condition.values,
    ):
        groups[row[key]].append(row)
    yield from (rows for rows in groups.values() if len(rows) > 1)


def _rows(library: Library, numbers: Sequence[int]) -> list[sqlite3.Row]:
    rows = []
    for start in range(0, len(numbers), 400):
        some = numbers[start : start + 400]
        marks = ", ".join("?" * len(some))
        rows += library.rows(
            "SELECT file.*, json_remove(document, '$.findings', '$.hashes') AS header"
            " FROM file LEFT JOIN identity ON identity.file = file.id"
            f" WHERE file.id IN ({marks}) ORDER BY path",
            some,
        )
    return rows


def _grouped(library: Library, rows: list[sqlite3.Row], sameness: Sameness) -> Iterator[SameFiles]:
    """Yield a group of rows if they are more than one file, whatever names it has."""
    removable = sameness in _REMOVABLE
    there = [row for row in rows if not removable or is_unchanged(row)]
    distinct: dict[str, sqlite3.Row] = {}
    for row in sorted(there, key=_is_link):
        distinct.setdefault(place_on_disk(row), row)
    if len(distinct) < 2:
        return
    kept = [*distinct.values()]
    active, files = _active(library), files_of(library, kept)
    copies = best_first([
        Copy(file=file, active=row["root"] in active, first_seen=row["first_seen"])
        for row, file in zip(kept, files, strict=True)
    ])  # fmt: skip
    yield SameFiles(
        sameness=sameness, files=tuple(one.file for one in copies),
        links=tuple(path_of(row["path"]) for row in there if row not in kept),
        changed=tuple(path_of(row["path"]) for row in rows if row not in there),
        reason=reason(*copies[:2]) if removable else "",
        bytes=sum(one.file.size for one in copies[1:]) if removable else 0,
    )  # fmt: skip


def _is_link(row: sqlite3.Row) -> bool:
    return path_of(row["path"]).is_symlink()


def _active(library: Library) -> set[int]:
    return {row[0] for row in library.rows("SELECT id FROM root WHERE role = 'active'")}
