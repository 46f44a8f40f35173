"""From what a picture or a recipe calls a model to the files that it may be.

::

    matching_names     names taken apart, and how they are looked up
    matching_aliases   other names of a model, as the library keeps them
    matching_groups    what of a picture names the same model
    matching_rows      where is looked: the library, the cache of hashes (`matching_digests`)
    matching_search    one reference: the files and published models that it leads to
    matching_grades    how sure each thing makes that speaks for a file: the table
    matching_question  one reference: what is found, judged and ordered (`matching_values`)
    matching           many of them
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kanna.catalog.matching_question import Question
from kanna.catalog.matching_rows import Shelves
from kanna.catalog.matching_values import Match, rank
from kanna.catalog.store import Library
from kanna.hashing.cache import HashCache
from kanna.hashing.place import existing_cache
from kanna.hashing.resolving import Hit
from kanna.infotext.info import ModelReference

__all__ = ["Match", "Matcher", "match", "match_all"]


def match(library: Library | None, reference: ModelReference) -> tuple[Match, ...]:
    """Return the files that `reference` may mean, the surest first, those that are there before.

    Without a library, only the cache of hashes is asked.

    Raises:
        KannaError: the library cannot be read.
    """
    place = existing_cache()
    if place is None:
        return Matcher(library, None).match(reference)
    with HashCache(place) as cached:
        return Matcher(library, cached).match(reference)


def match_all(matcher: Matcher, references: Iterable[ModelReference]) -> tuple[Match, ...]:
    """Return the files that any of the references may mean, each once, ordered as in `match`.

    Raises:
        KannaError: the library cannot be read.
    """
    best: dict[Path, Match] = {}
    for one in (one for reference in references for one in matcher.match(reference)):
        other = best.get(one.path)
        if other is None or rank(one) < rank(other):
            best[one.path] = one
    return tuple(sorted(best.values(), key=rank))


class Matcher:
    """Answers for many references; what was asked once is known."""

    def __init__(self, library: Library | None, cached: HashCache | None) -> None:
        """Look into these, which stay open."""
        self.shelves = Shelves(library, cached)
        self._answers: dict[ModelReference, tuple[Match, ...]] = {}

    def match(self, reference: ModelReference) -> tuple[Match, ...]:
        """Return the files that `reference` may mean; see `match`."""
        asked = replace(reference, weight=None, where="", stage="")
        if asked not in self._answers:
            self._answers[asked] = Question(self.shelves, asked).answer()
        return self._answers[asked]

    def published(self, reference: ModelReference) -> tuple[Hit, ...]:
        """Return the published files that `reference` may mean, by digest before those by name."""
        return Question(self.shelves, reference).published()
