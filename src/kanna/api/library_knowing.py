"""What the library knows of single models, and what people add to that: tags and notes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kanna.api.library_asking import open_library
from kanna.api.reading import StrPath
from kanna.catalog.indexing import index_words
from kanna.catalog.naming import find_file
from kanna.catalog.rows import OriginRow
from kanna.catalog.store import Library, path_of
from kanna.errors import UsageError

_LONGEST_TAG: Final = 100
_LONGEST_NOTE: Final = 100_000
# Columns that a document of a model has as they are.
_FACTS: Final = (
    "id", "name", "size", "modified", "first_seen", "catalogued", "container", "kind",
    "architecture", "variant", "certainty", "layout", "dtype", "quantization", "prediction",
    "title", "said", "tensors", "parameters", "note",
)  # fmt: skip
_DIGESTS: Final = (
    "sha256", "data_sha256", "autov1", "blake3", "crc32", "embedding_checksum", "sshs_model_hash",
)  # fmt: skip
_ALSO_IN: Final = (
    "SELECT DISTINCT path FROM part JOIN file ON file.id = part.file WHERE digest = ?"
    " AND part.file <> ? AND present ORDER BY path LIMIT 20"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryPart:
    """A part of a model, its component digest if known, and which other files have the same."""

    role: str
    architecture: str | None
    prefix: str
    tensors: int
    parameters: int
    bytes: int
    dtype: str | None
    digest: str | None
    also_in: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """All that the library knows of one model.

    `facts` and `digests` are columns of the table ``file``, without those that are empty. `same`
    are other files with the same bytes, `same_data` those with the same tensors under another
    header. `identity` is the identity document without metadata.
    """

    path: Path
    present: bool
    root: Path | None
    role: str | None
    facts: dict[str, Any]
    digests: dict[str, str]
    error: str | None
    error_text: str | None
    tags: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    parts: tuple[LibraryPart, ...]
    origins: tuple[OriginRow, ...]
    same: tuple[Path, ...]
    same_data: tuple[Path, ...]
    identity: dict[str, Any] | None

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "path": str(self.path), "present": self.present,
            "root": self.root and str(self.root), "role": self.role,
            **{name: self.facts.get(name) for name in _FACTS},
            "hashes": {name: self.digests.get(name) for name in _DIGESTS},
            "error": self.error and {"key": self.error, "message": self.error_text},
            "tags": list(self.tags),
            "aliases": [{"name": name, "source": source} for name, source in self.aliases],
            "findings": list(self.findings),
            "parts": [
                {"role": part.role, "architecture": part.architecture, "prefix": part.prefix,
                 "tensors": part.tensors, "parameters": part.parameters, "bytes": part.bytes,
                 "dtype": part.dtype, "digest": part.digest,
                 "also_in": [str(path) for path in part.also_in]} for part in self.parts
            ],
            "origins": [
                {"relation": one.relation, "name": one.name, "digest": one.digest}
                for one in self.origins
            ],
            "same": [str(path) for path in self.same],
            "same_data": [str(path) for path in self.same_data],
            "identity": self.identity,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A model, and the tags that it has now."""

    path: Path
    tags: tuple[str, ...]
    changed: bool


def library_show(name: StrPath, *, library: StrPath | None = None) -> KnownModel:
    """Return all that the library knows of the model that `name` means.

    Raises:
        Incomplete: there is no library, or it has no such model.
        UsageError: it has several of them.
    """
    with open_library(library) as opened:
        return _known(opened, find_file(opened, str(name)))


def library_tag(
    names: Sequence[StrPath],
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    dry_run: bool = False,
    library: StrPath | None = None,
) -> list[Tagged]:
    """Give models tags, and take tags from them; all of them, or nothing if one is not known.

    Raises:
        Incomplete: there is no library, or it has no such model.
        UsageError: a name means several models, or a tag is empty or endless.
        KannaError: the library cannot be written.
    """
    wanted, unwanted = [_tag(word) for word in add], [_tag(word) for word in remove]
    with open_library(library) as opened:
        rows = [find_file(opened, str(name)) for name in names]
        before = {row["id"]: _tags(opened, row["id"]) for row in rows}
        after = {
            id_: tuple(sorted(({*tags} - {*unwanted}) | {*wanted})) for id_, tags in before.items()
        }
        if not dry_run:
            with opened.writing() as connection:
                for id_ in after:
                    _put_tags(connection, id_, wanted, unwanted)
        return [
            Tagged(path=path_of(row["path"]), tags=after[row["id"]],
                   changed=after[row["id"]] != before[row["id"]])
            for row in rows
        ]  # fmt: skip


def library_note(
    name: StrPath, text: str | None, *, dry_run: bool = False, library: StrPath | None = None
) -> KnownModel:
    """Write a note on a model in the place of the old one; None takes it away.

    Raises:
        Incomplete: there is no library, or it has no such model.
        UsageError: it has several of them, or the note is endless.
        KannaError: the library cannot be written.
    """
    if text is not None and len(text) > _LONGEST_NOTE:
        raise UsageError("library.note_too_long", most=_LONGEST_NOTE)
    with open_library(library) as opened:
        row = find_file(opened, str(name))
        if not dry_run:
            with opened.writing() as connection:
                note = _valid(text) if text else None
                connection.execute("UPDATE file SET note = ? WHERE id = ?", (note, row["id"]))
                index_words(connection, row["id"])
        return _known(opened, opened.rows("SELECT * FROM file WHERE id = ?", (row["id"],))[0])


def _known(library: Library, row: sqlite3.Row) -> KnownModel:
    id_ = row["id"]
    root = library.rows("SELECT path, role FROM root WHERE id = ?", (row["root"],))
    identity = library.rows("SELECT document FROM identity WHERE file = ?", (id_,))
    aliases = library.rows("SELECT name, source FROM alias WHERE file = ? ORDER BY 2, 1", (id_,))
    findings = library.rows("SELECT code FROM finding WHERE file = ? ORDER BY code", (id_,))
    origins = library.rows("SELECT * FROM origin WHERE file = ? ORDER BY number", (id_,))
    same = _others(library, "sha256", row)
    return KnownModel(
        path=path_of(row["path"]), present=bool(row["present"]),
        root=path_of(root[0]["path"]) if root else None, role=root[0]["role"] if root else None,
        facts={name: row[name] for name in _FACTS if row[name] is not None},
        digests={name: row[name] for name in _DIGESTS if row[name] is not None},
        error=row["error"], error_text=row["error_text"], tags=_tags(library, id_),
        aliases=tuple((one["name"], one["source"]) for one in aliases),
        findings=tuple(one["code"] for one in findings), parts=tuple(_parts(library, id_)),
        origins=tuple(
            OriginRow(relation=one["relation"], name=one["name"], digest=one["digest"])
            for one in origins
        ),
        same=same,
        same_data=tuple(p for p in _others(library, "data_sha256", row) if p not in same),
        identity=json.loads(identity[0]["document"]) if identity else None,
    )  # fmt: skip


def _parts(library: Library, id_: int) -> Iterable[LibraryPart]:
    for row in library.rows("SELECT * FROM part WHERE file = ? ORDER BY number", (id_,)):
        others = library.rows(_ALSO_IN, (row["digest"], id_)) if row["digest"] else []
        yield LibraryPart(
            role=row["role"], architecture=row["architecture"], prefix=row["prefix"],
            tensors=row["tensors"], parameters=row["parameters"], bytes=row["bytes"],
            dtype=row["dtype"], digest=row["digest"],
            also_in=tuple(path_of(one["path"]) for one in others),
        )  # fmt: skip


def _others(library: Library, digest: str, row: sqlite3.Row) -> tuple[Path, ...]:
    """Return the other files that are there with the same digest."""
    if row[digest] is None:
        return ()
    query = f"SELECT path FROM file WHERE {digest} = ? AND id <> ? AND present ORDER BY path"  # noqa: S608 - words of ours
    return tuple(path_of(one["path"]) for one in library.rows(query, (row[digest], row["id"])))


def _tags(library: Library, id_: int) -> tuple[str, ...]:
    rows = library.rows("SELECT word FROM tag WHERE file = ? ORDER BY word", (id_,))
    return tuple(row["word"] for row in rows)


def _put_tags(
    connection: sqlite3.Connection, id_: int, wanted: Sequence[str], unwanted: Sequence[str]
) -> None:
    connection.executemany(
        "DELETE FROM tag WHERE file = ? AND word = ?", [(id_, word) for word in unwanted]
    )
    connection.executemany(
        "INSERT OR IGNORE INTO tag VALUES (?, ?)", [(id_, word) for word in wanted]
    )
    index_words(connection, id_)


def _tag(word: str) -> str:
    """Return a tag as it is kept: one line, single spaces.

    Raises:
        UsageError: nothing is left of it, or it is endless.
    """
    tag = " ".join(_valid(word).split())
    if not tag or len(tag) > _LONGEST_TAG:
        raise UsageError("library.bad_tag", tag=word, most=_LONGEST_TAG)
    return tag


def _valid(text: str) -> str:
    """Return text that SQLite can hold, whatever the terminal gave."""
    return text.encode("utf-8", "replace").decode()
