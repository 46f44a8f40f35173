"""The digests of a library's files in the form in which the cache of hashes has its own."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from kanna.catalog.matching_rows import SELECT, Candidate, Shelves, candidate
from kanna.catalog.store import Library
from kanna.hashing.cache import CachedFile, HashCache
from kanna.hashing.digests import Digests

_DIGESTS: Final = tuple(field.name for field in fields(Digests) if field.name != "size")


class LibraryDigests:
    """The digests that a library keeps and, below it, the cache of hashes: for `resolve`."""

    def __init__(self, library: Library, cached: HashCache) -> None:
        """Look into these; they stay open."""
        self._library, self._shelves, self._cached = library, Shelves(library, None), cached

    def files_with(self, field: str, beginning: str) -> list[CachedFile]:
        """Return the files whose digest `field` begins with these digits."""
        own = [_as_cached(one) for one in self._shelves.with_digest(field, beginning)]
        return _with(own, self._cached.files_with(field, beginning))

    def files_with_part(self, beginning: str) -> list[CachedFile]:
        """Return the files that hold a part whose digest begins with these digits."""
        held = "SELECT file FROM part WHERE digest >= ? AND digest < ?"
        query = f"{SELECT} file.id IN ({held}) ORDER BY file.path"
        rows = self._library.rows(query, (beginning, beginning + "g"))
        own = [_as_cached(candidate(row)) for row in rows]
        return _with(own, self._cached.files_with_part(beginning))


def _with(own: list[CachedFile], cached: list[CachedFile]) -> list[CachedFile]:
    keys = {one.key for one in own}
    return own + [one for one in cached if one.key not in keys]


def _as_cached(one: Candidate) -> CachedFile:
    known = {name: one.digests.get(name) for name in _DIGESTS}
    digests = Digests(size=one.size, **known)
    return CachedFile(path=one.path, key=one.key, origin="library", digests=digests)
