"""What a library holds more than once: files, data, models in another precision, parts.

Equality is that of digests; files that were never hashed are counted, and told as possible only.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kanna.catalog.asking import FoundFile, files_of
from kanna.catalog.conditions import Condition
from kanna.catalog.keeping import Copy, best_first, reason
from kanna.catalog.store import Library, path_of

# How files are the same: byte for byte; their tensors; the numbers of every part, rounded to fp16;
# by nothing but their sizes and headers.
Sameness: TypeAlias = Literal["file", "data", "twin", "possible"]
_REMOVABLE: Final = {"file", "data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SameFiles:
    """Models that are the same, the one to keep first.

    `reason` says what speaks for it: ``tagged``, ``active``, ``safetensors``, ``named``, ``first``
    or ``path``; it is empty where nothing is removable. `links` are further names of the very same
    files, which take no room. `bytes` is what removing all but the first one wins.
    """

    sameness: Sameness
    files: tuple[FoundFile, ...]
    links: tuple[Path, ...]
    reason: str
    bytes: int

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "same": self.sameness, "keep": str(self.files[0].path) if self.reason else None,
            "reason": self.reason or None, "bytes": self.bytes,
            "files": [_short(one) for one in self.files],
            "links": [str(path) for path in self.links],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A file with a part in it: where, in which precision, of how many bytes."""

    file: FoundFile
    prefix: str
    dtype: str | None
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPart:
    """A part that several models have inside; `bytes` is what one file of it for all would win.

    Copies of a whole file count once: what removing them wins is told elsewhere.
    """

    role: str
    architecture: str | None
    digest: str
    holders: tuple[Holder, ...]
    bytes: int

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "role": self.role, "architecture": self.architecture, "digest": self.digest,
            "bytes": self.bytes,
            "holders": [
                {**_short(one.file), "prefix": one.prefix, "part_dtype": one.dtype,
                 "part_bytes": one.bytes}
                for one in self.holders
            ],
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
        f"SELECT count(*) FROM file WHERE {condition.sql} AND sha256 IS NULL AND error IS NULL",
        condition.values,
    )[0][0]
    shared = [*_parts(library, condition)] if parts else []
    order = ("file", "data", "twin", "possible")
    groups.sort(key=lambda one: (order.index(one.sameness), -one.bytes, -one.files[0].size))
    shared.sort(key=lambda one: (-one.bytes, one.digest))
    return Dupes(
        groups=tuple(groups), parts=tuple(shared), unhashed=unhashed,
        unparted=_unparted(library, condition) if parts else None,
    )  # fmt: skip


def _unparted(library: Library, condition: Condition) -> int:
    """Return how many models have no digest of any part, though most such models could."""
    sql = (
        f"SELECT count(*) FROM file WHERE {condition.sql} AND quantization IS NULL"
        " AND kind IN ('checkpoint', 'diffusion_model', 'vae', 'text_encoder') AND NOT EXISTS"
        " (SELECT 1 FROM part WHERE part.file = file.id AND digest IS NOT NULL)"
    )
    return int(library.rows(sql, condition.values)[0][0])


def _equal(library: Library, condition: Condition) -> Iterator[SameFiles]:
    """Yield the files whose data or, where that has no digest, whose bytes are the same."""
    for key in ("data_sha256", "sha256"):
        narrowed = f"{condition.sql} AND data_sha256 IS NULL" * (key == "sha256") or condition.sql
        for rows in _rows_by(library, key, Condition(narrowed, condition.values)):
            sameness: Sameness = "file" if len({row["sha256"] for row in rows}) == 1 else "data"
            yield from _grouped(library, rows, sameness)


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
            if len({row["data_sha256"] or row["sha256"] or row["id"] for row in found}) > 1:
                yield from _grouped(library, _one_of_each(found), "twin")


def _one_of_each(rows: Iterable[sqlite3.Row]) -> list[sqlite3.Row]:
    """Return one row of those with the same data: copies are told as such already."""
    return [*{row["data_sha256"] or row["sha256"] or row["id"]: row for row in rows}.values()]


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


def _parts(library: Library, condition: Condition) -> Iterator[SharedPart]:
    """Yield the parts that files of different data have in common, but the only part of both."""
    shared: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
    rows = library.rows(
        "SELECT file.*, part.role, part.architecture AS of, part.prefix, part.digest,"
        " part.bytes AS room, part.dtype AS stored"
        f" FROM part JOIN file ON file.id = part.file WHERE {condition.sql} AND part.digest IN"
        " (SELECT digest FROM part WHERE digest IS NOT NULL GROUP BY digest HAVING count(*) > 1)"
        " ORDER BY file.path",
        condition.values,
    )
    for row in rows:
        shared[row["role"], row["digest"]].append(row)
    for (role, digest), found in shared.items():
        distinct = [*{_inode(row): row for row in found}.values()]
        if len({row["data_sha256"] or row["sha256"] or row["id"] for row in distinct}) < 2:
            continue
        files = {one.id: one for one in files_of(library, distinct)}
        holders = [
            Holder(file=files[row["id"]], prefix=row["prefix"], dtype=row["stored"],
                   bytes=row["room"] or 0)
            for row in distinct
        ]  # fmt: skip
        room = {
            one.file.data_sha256 or one.file.sha256 or one.file.id: one.bytes for one in holders
        }
        yield SharedPart(
            role=role, architecture=found[0]["of"], digest=digest, holders=tuple(holders),
            bytes=sum(room.values()) - max(room.values()),
        )  # fmt: skip


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
    distinct: dict[str, sqlite3.Row] = {}
    for row in rows:
        distinct.setdefault(_inode(row), row)
    if len(distinct) < 2:
        return
    kept = [*distinct.values()]
    links = [path_of(row["path"]) for row in rows if row not in kept]
    active, files = _active(library), files_of(library, kept)
    copies = best_first([
        Copy(file=file, active=row["root"] in active, first_seen=row["first_seen"])
        for row, file in zip(kept, files, strict=True)
    ])  # fmt: skip
    removable = sameness in _REMOVABLE
    yield SameFiles(
        sameness=sameness, files=tuple(one.file for one in copies), links=tuple(links),
        reason=reason(*copies[:2]) if removable else "",
        bytes=sum(one.file.size for one in copies[1:]) if removable else 0,
    )  # fmt: skip


def _active(library: Library) -> set[int]:
    return {row[0] for row in library.rows("SELECT id FROM root WHERE role = 'active'")}


def _inode(row: sqlite3.Row) -> str:
    """Return what two names of one file share; a path where the system gives files no numbers."""
    device, inode, *_ = [*str(row["fingerprint"]).split(":"), "", ""]
    return f"{device}:{inode}" if inode not in {"", "0"} else str(row["path"])


def _short(file: FoundFile) -> dict[str, object]:
    return {
        "id": file.id, "path": str(file.path), "size": file.size, "container": file.container,
        "dtype": file.dtype, "sha256": file.sha256, "data_sha256": file.data_sha256,
        "tags": list(file.tags),
    }  # fmt: skip
