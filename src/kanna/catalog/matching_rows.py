"""Where models are looked for: the library and the cache of hashes.

Nothing here says how sure it is; see `kanna.catalog.matching`.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from kanna.catalog.matching_names import SPELLING, spelling
from kanna.catalog.store import Library, path_of, path_value
from kanna.disk import Fingerprint
from kanna.hashing.cache import CachedFile, HashCache, key_of
from kanna.hashing.digests import Digests

_DIGESTS: Final = tuple(field.name for field in fields(Digests) if field.name != "size")
_COLUMNS: Final = (
    "file.id, file.path, file.name, file.fingerprint, file.kind, file.architecture, file.title, "
    f"file.size, file.sshs_model_hash, {', '.join(f'file.{name}' for name in _DIGESTS)}"
)
SELECT: Final = f"SELECT {_COLUMNS} FROM file WHERE "  # noqa: S608 - names from above only
_AT_KEY: Final = f"{SELECT} fingerprint = ?"
_CALLED: Final = (
    f"SELECT {_COLUMNS}, alias.name AS other_name, alias.source AS said_by "  # noqa: S608 - likewise
    f"FROM alias JOIN file ON file.id = alias.file WHERE {SPELLING.format('alias.name')} IN "
)
_MADE: Final = (
    f"SELECT DISTINCT {_COLUMNS} FROM origin JOIN file ON file.id = origin.file "  # noqa: S608 - likewise
    "WHERE origin.relation = 'made_from' AND "
)
_FIELDS: Final = frozenset({*_DIGESTS, "sshs_model_hash"})
_MOST: Final = 1000  # files of one name: every diffusers model has the same
_MOST_VALUES: Final = 500  # in one query; SQLite takes 999 in its older versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may be meant. `id` is None where only the cache of hashes knows it.

    `digests` has by name those that are known, `sshs_model_hash` among them.
    """

    path: Path
    key: str
    id: int | None = None
    kind: str | None = None
    architecture: str | None = None
    title: str | None = None
    size: int = 0
    digests: Mapping[str, str]

    @property
    def content(self) -> str:
        """What tells one model from another: copies have the same."""
        return self.digests.get("sha256") or self.key

    @property
    def is_there(self) -> bool:
        """Whether there is something at its path now; in the cache's words, the very same file."""
        try:
            status = self.path.stat()
        except (OSError, ValueError):
            return False
        return self.id is not None or key_of(Fingerprint.of(status)) == self.key


class Shelves:
    """The library and the cache of hashes, asked together; each may be missing."""

    def __init__(self, library: Library | None, cached: HashCache | None) -> None:
        """Look into these; they stay open."""
        self.library, self._cached = library, cached
        self._seen: dict[str, list[tuple[str, Path]]] | None = None

    def with_digest(self, field: str, beginning: str) -> Iterator[Candidate]:
        """Yield the files whose digest `field` begins with these digits, each once."""
        if field not in _FIELDS:
            return
        span = (beginning, beginning + "g")
        known = list(self._rows(f"{SELECT} {field} >= ? AND {field} < ?", span))
        yield from known
        yield from self._only_cached(field, beginning, {one.key for one in known})

    def named(self, spellings: Iterable[str]) -> list[Candidate]:
        """Return the library's files with one of these names, as they are spelled in it."""
        return list(self._each(SPELLING.format("file.name"), spellings))

    def exactly_named(self, names: Iterable[str]) -> Iterator[Candidate]:
        """Yield the library's files with one of these names."""
        return self._each("file.name", (path_value(Path(name)) for name in names))

    def called(self, spellings: Sequence[str]) -> Iterator[tuple[Candidate, str, str]]:
        """Yield the library's files that have such a name besides, the name, and who gives it."""
        if self.library is None:
            return
        for marks, values in _portions(spellings):
            for row in self.library.rows(f"{_CALLED} ({marks}) LIMIT {_MOST}", values):
                yield candidate(row), row["other_name"], row["said_by"]

    def made_from(self, spellings: Sequence[str], digits: str) -> Iterator[Candidate]:
        """Yield the library's files that kanna made of a file of such a name or digest."""
        if self.library is None:
            return
        if digits:
            condition = f"{_MADE} origin.digest >= ? AND origin.digest < ?"
            yield from map(candidate, self.library.rows(condition, (digits, digits + "g")))
        for marks, values in _portions(spellings):
            named = f"{_MADE} {SPELLING.format('origin.name')} IN ({marks}) LIMIT {_MOST}"
            yield from map(candidate, self.library.rows(named, values))

    def seen_as(self, spellings: Iterable[str]) -> Iterator[tuple[Candidate, Path]]:
        """Yield files that had such a name when they were hashed, and where they lay then."""
        for one in dict.fromkeys(spellings):
            for key, path in self._places().get(one, ()):
                yield from ((candidate, path) for candidate in self._with_key(key))

    def of_kind(self, kind: str) -> Iterator[Candidate]:
        """Yield all files of a kind that the library has."""
        yield from self._rows(f"{SELECT} kind = ?", (kind,))

    def names(self) -> list[str]:
        """Return the name of every file of the library."""
        rows = self.library.rows("SELECT DISTINCT name FROM file") if self.library else []
        return [os.fsdecode(row[0]) for row in rows]

    def _each(self, what: str, values: Iterable[str | bytes]) -> Iterator[Candidate]:
        for marks, portion in _portions(list(dict.fromkeys(values))):
            yield from self._rows(f"{SELECT} {what} IN ({marks}) LIMIT {_MOST}", portion)

    def _rows(self, query: str, values: Sequence[object]) -> Iterator[Candidate]:
        if self.library is not None:
            yield from map(candidate, self.library.rows(query, values))

    def _only_cached(self, field: str, beginning: str, but: set[str]) -> Iterator[Candidate]:
        if self._cached is not None and field in _DIGESTS:
            for one in self._cached.files_with(field, beginning):
                if one.key not in but:
                    yield self._of_cache(one)

    def _with_key(self, key: str) -> list[Candidate]:
        found = list(self._rows(_AT_KEY, (key,)))
        if found or self._cached is None:
            return found
        return [_cached(one) for one in self._cached.files_at(key)]

    def _of_cache(self, file: CachedFile) -> Candidate:
        """Return a file that was hashed as the library has it, where it does."""
        return next(self._rows(_AT_KEY, (file.key,)), None) or _cached(file)

    def _places(self) -> Mapping[str, list[tuple[str, Path]]]:
        """Return keys and paths of all files that were ever hashed, by their names' spelling."""
        if self._seen is None:
            self._seen = defaultdict(list)
            for key, path in self._cached.places() if self._cached is not None else ():
                self._seen[spelling(path.name)].append((key, path))
        return self._seen


def _portions(values: Sequence[str | bytes]) -> Iterator[tuple[str, Sequence[str | bytes]]]:
    for start in range(0, len(values), _MOST_VALUES):
        portion = values[start : start + _MOST_VALUES]
        yield ", ".join("?" * len(portion)), portion


def candidate(row: sqlite3.Row) -> Candidate:
    """Return the file of a row that `SELECT` gave."""
    return Candidate(
        path=path_of(row["path"]), key=row["fingerprint"], id=row["id"], kind=row["kind"],
        architecture=row["architecture"], title=row["title"], size=row["size"],
        digests={name: row[name] for name in sorted(_FIELDS) if row[name]},
    )  # fmt: skip


def _cached(file: CachedFile) -> Candidate:
    known = {name: getattr(file.digests, name) for name in _DIGESTS}
    return Candidate(
        path=file.path, key=file.key, size=file.digests.size,
        digests={name: digest for name, digest in known.items() if digest},
    )  # fmt: skip
