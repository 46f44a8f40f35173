"""Parts that several models of a library have inside: the same VAE in twenty checkpoints."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from kanna.catalog.asking import FoundFile, files_of
from kanna.catalog.conditions import Condition
from kanna.catalog.states import content, place_on_disk
from kanna.catalog.store import Library


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
                {**one_file(one.file), "prefix": one.prefix, "part_dtype": one.dtype,
                 "part_bytes": one.bytes}
                for one in self.holders
            ],
        }  # fmt: skip


def shared_parts(library: Library, condition: Condition) -> Iterator[SharedPart]:
    """Yield the parts that files of different data have in common.

    Raises:
        KannaError: the library cannot be read.
    """
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
        distinct = [*{place_on_disk(row): row for row in found}.values()]
        if len({content(row) for row in distinct}) < 2:
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


def count_unparted(library: Library, condition: Condition) -> int:
    """Return how many models have no digest of any part, though most such models could.

    Raises:
        KannaError: the library cannot be read.
    """
    sql = (
        f"SELECT count(*) FROM file WHERE {condition.sql} AND quantization IS NULL"
        " AND kind IN ('checkpoint', 'diffusion_model', 'vae', 'text_encoder') AND NOT EXISTS"
        " (SELECT 1 FROM part WHERE part.file = file.id AND digest IS NOT NULL)"
    )
    return int(library.rows(sql, condition.values)[0][0])


def one_file(file: FoundFile) -> dict[str, object]:
    """Return what documents of duplicates say of a file."""
    return {
        "id": file.id, "path": str(file.path), "size": file.size, "container": file.container,
        "dtype": file.dtype, "sha256": file.sha256, "data_sha256": file.data_sha256,
        "tags": list(file.tags),
    }  # fmt: skip
