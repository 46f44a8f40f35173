"""What is found for one reference, and what speaks for it: by its digits and by its name.

How sure that makes is judged by `kanna.catalog.matching_question`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Final

from kanna.catalog.matching_grades import kind_agrees
from kanna.catalog.matching_names import SHOWN_AS, Name, ends_with_joined, name_of, spelling, split
from kanna.catalog.matching_rows import Candidate, Shelves
from kanna.hashing.known import Known, known_models
from kanna.hashing.resolving import (
    NAME_HASH_DIGITS,
    Hit,
    is_of_nothing,
    meanings_of,
    name_hash,
    published_with,
)
from kanna.infotext.info import ModelReference

_VAE_HASH_DIGITS: Final = 10  # as many does A1111 write of a VAE, from an entry that all VAEs share
_HEX: Final = re.compile("[0-9a-fA-F]+")


class Search:
    """A reference, taken apart, and the files and published models that it leads to.

    `name` is None where it has none. `digits` is empty where it has none that mean anything.
    """

    def __init__(self, shelves: Shelves, reference: ModelReference) -> None:
        """Search these shelves."""
        self._shelves, self._reference = shelves, reference
        name = reference.name or ""
        shown = SHOWN_AS.get(name) if reference.role == "upscaler" else None
        self.name = name_of(shown or name)
        digits = reference.digest or (self.name.digits if self.name else "")
        usable = _HEX.fullmatch(digits) and not is_of_nothing(digits.lower())
        self.digits = digits.lower() if usable else ""

    @property
    def is_vae_hash(self) -> bool:
        """Whether the digits are such that A1111 takes from one entry for all VAEs."""
        return self._reference.role == "vae" and len(self.digits) == _VAE_HASH_DIGITS

    def files(self) -> Iterator[tuple[Candidate, str]]:
        """Yield files, and what speaks for each: a word of `kanna.catalog.matching_grades`."""
        yield from self._by_digest()
        yield from self._by_name()
        yield from self._made_from()

    @cached_property
    def published_with_digits(self) -> tuple[tuple[str, Hit], ...]:
        """The published files of which these are digits, and what the digits speak as."""
        return tuple(
            (self._word(meaning.word), hit)
            for meaning in meanings_of(self.digits)
            for hit in published_with(meaning, self.digits)
        )

    def published_under_name(self) -> Iterator[tuple[str, Known]]:
        """Yield the published files of the name or title, and how it agrees."""
        if self.name is None:
            return
        files, titles = _published_as(self.name)
        for row in filter(self._can_be, files):
            likeness = _likeness(row.filename, self.name)
            yield "published_name" if likeness == "name" else likeness, row
        yield from (("published_title", row) for row in titles if self._can_be(row))

    def _can_be(self, row: Known) -> bool:
        """Whether a published file is not known to be of another kind than the one meant."""
        return not row.kind_is_sure or kind_agrees(self._reference.role, row.kind) is not False

    def _by_digest(self) -> Iterator[tuple[Candidate, str]]:
        for meaning in meanings_of(self.digits):
            word = self._word(meaning.word)
            for one in self._shelves.with_digest(meaning.field, self.digits):
                yield one, word
        for word, hit in self.published_with_digits:
            assert hit.known is not None
            if hit.known.sha256 and hit.exact:
                for one in self._shelves.with_digest("sha256", hit.known.sha256):
                    yield one, word

    def _word(self, meaning: str) -> str:
        """Return what a digest speaks as: that of a VAE in an infotext is not to be trusted."""
        return "vae_hash" if self.is_vae_hash and meaning == "autov2" else meaning

    def _by_name(self) -> Iterator[tuple[Candidate, str]]:
        if self.name is None:
            yield from self._by_name_hash()
            return
        exact = False
        for one, word in self._of_name(self.name):
            exact = exact or word == "name"
            yield one, word
        if not exact:
            yield from self._joined(self.name)
            yield from self._seen_as(self.name)
        yield from self._called(self.name)
        yield from self._published_files()

    def _of_name(self, name: Name) -> Iterator[tuple[Candidate, str]]:
        for one in self._shelves.named(name.spellings):
            yield one, _likeness(one.path.name, name)
            if self._is_name_hash(one.path.name):
                yield one, "name_hash"

    def _joined(self, name: Name) -> Iterator[tuple[Candidate, str]]:
        """Yield the files whose folders, joined to their name, are the name."""
        stems = [stem for stem in name.joints if stem]
        wanted = [s for stem in stems for s in Name(folders=(), stem=stem, suffix="").spellings]
        for one in self._shelves.named(wanted):
            whole = ends_with_joined(str(one.path), name)
            yield one, "name" if whole else "name_end"

    def _called(self, name: Name) -> Iterator[tuple[Candidate, str]]:
        for one, other, source in self._shelves.called(name.spellings):
            likeness = _likeness(other, name)
            yield one, source if likeness == "name" else likeness

    def _seen_as(self, name: Name) -> Iterator[tuple[Candidate, str]]:
        """Yield the files that had the name when they were hashed, or still have it."""
        for one, path in self._shelves.seen_as(name.spellings):
            likeness = _likeness(path.name, name)
            yield one, "former" if likeness == "name" and one.path != path else likeness

    def _made_from(self) -> Iterator[tuple[Candidate, str]]:
        """Yield what is not the file itself, but was converted or taken from it."""
        spellings = self.name.spellings if self.name else ()
        for one in self._shelves.made_from(spellings, self.digits):
            yield one, "made_from"

    def _published_files(self) -> Iterator[tuple[Candidate, str]]:
        """Yield the files that were published under the name, whatever they are called here."""
        for word, row in self.published_under_name():
            for meaning in ("sha256", "data_sha256"):
                if digest := getattr(row, meaning):
                    for one in self._shelves.with_digest(meaning, digest):
                        yield one, word

    def _by_name_hash(self) -> Iterator[tuple[Candidate, str]]:
        """Yield the files of whose name, not content, the digits are."""
        if len(self.digits) in NAME_HASH_DIGITS:
            names = [name for name in self._shelves.names() if self._is_name_hash(name)]
            for one in self._shelves.exactly_named(names):
                yield one, "name_hash"

    def _is_name_hash(self, name: str) -> bool:
        fits = len(self.digits) in NAME_HASH_DIGITS
        return fits and name_hash(name).startswith(self.digits)


def _likeness(own: str, name: Name) -> str:
    """Return how the name of a file agrees with a name that is spelled like it."""
    stem, suffix = split(own)
    if stem.casefold() != name.stem.casefold():
        return "other_spelling"
    return "name" if not name.suffix or not suffix or suffix == name.suffix else "other_suffix"


@cache
def _published() -> tuple[Mapping[str, list[Known]], Mapping[str, list[Known]]]:
    """Return the published files by the spelling of their stems, and by that of their titles."""
    files: defaultdict[str, list[Known]] = defaultdict(list)
    titles: defaultdict[str, list[Known]] = defaultdict(list)
    for row in known_models():
        if row.filename:
            files[spelling(split(row.filename)[0])].append(row)
        if row.title:
            titles[spelling(row.title)].append(row)
    return files, titles


def _published_as(name: Name) -> tuple[list[Known], list[Known]]:
    """Return the published files with this stem, and those with it for a title.

    Civitai's resources are called ``title - version``: so the title may be what comes before.
    """
    files, titles = _published()
    stem, title = spelling(name.stem), spelling(name.stem.partition(" - ")[0])
    return files.get(stem, []), titles.get(stem) or titles.get(title, [])
