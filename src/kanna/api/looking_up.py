"""Where models are looked up: the library and the cache of hashes, opened together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kanna.catalog.place import existing_library
from kanna.hashing.cache import HashCache
from kanna.hashing.place import existing_cache

if TYPE_CHECKING:  # a plain digest needs neither where there is no library
    from kanna.catalog.matching import Matcher
    from kanna.catalog.store import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOptions:
    """Where to look: `library` is its file, None stands for the user's where there is one.

    Without `in_library` there is none, without `in_cache` what was hashed before does not count.
    """

    library: Path | None = None
    in_library: bool = True
    in_cache: bool = True

    @property
    def library_path(self) -> Path | None:
        """The library that is asked, None where there is none to ask."""
        return (self.library or existing_library()) if self.in_library else None


@contextmanager
def library_for(options: LookOptions) -> Iterator[Library | None]:
    """Open the library, if one is to be asked; none is ever made.

    Raises:
        Incomplete: there is none where the options say.
        KannaError: it cannot be read.
    """
    path = options.library_path
    if path is None:
        yield None
        return
    from kanna.catalog.store import Library

    with Library(path, make=False) as library:
        yield library


@contextmanager
def matcher_for(options: LookOptions) -> Iterator[Matcher]:
    """Open all that is to be asked.

    Raises:
        Incomplete: there is no library where the options say.
        KannaError: it cannot be read.
    """
    from kanna.catalog.matching import Matcher

    place = existing_cache() if options.in_cache else None
    with ExitStack() as stack:
        library = stack.enter_context(library_for(options))
        cached = stack.enter_context(HashCache(place)) if place is not None else None
        yield Matcher(library, cached)
