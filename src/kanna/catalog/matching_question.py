"""One reference, asked: what is found for it, what speaks for each file, how sure that makes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from kanna.catalog.matching_grades import (
    AGREEING,
    DIGESTS,
    MEANING_ORDER,
    NAMES,
    ORDER,
    Certainty,
    Grade,
    doubted,
    kind_agrees,
)
from kanna.catalog.matching_names import (
    SHOWN_AS,
    Name,
    ends_with_joined,
    name_of,
    shared_folders,
    split,
)
from kanna.catalog.matching_published import published_as
from kanna.catalog.matching_rows import Candidate, Shelves
from kanna.catalog.matching_values import Match, rank, without_noise
from kanna.hashing.known import Known
from kanna.hashing.resolving import (
    MEANINGS,
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
# What a digest speaks for in one way or another, so that it does not contradict.
_DIGESTED: Final = frozenset({*DIGESTS, "name_hash", "made_from"})
# What no program says that it meant: A1111 writes either as if it were another digest.
_NEVER_SAID: Final = ("vae_hash", "sshs_model_hash")
# Digests that every file has which was hashed; embeddings have the checksum.
_TELLING: Final = frozenset({"sha256", "data_sha256", "autov1", "embedding_checksum"})
assert {meaning.word for meaning in MEANINGS} <= DIGESTS.keys()


@dataclass(slots=True, kw_only=True)
class _Found:
    """A file and all that speaks for it."""

    file: Candidate
    words: list[str] = field(default_factory=list)


class Question:
    """A reference, and what is found for it."""

    def __init__(self, shelves: Shelves, reference: ModelReference) -> None:
        """Ask these shelves."""
        self._shelves, self._reference = shelves, reference
        name = reference.name or ""
        shown = SHOWN_AS.get(name) if reference.role == "upscaler" else None
        self._name = name_of(shown or name)
        digits = reference.digest or (self._name.digits if self._name else "")
        usable = _HEX.fullmatch(digits) and not is_of_nothing(digits.lower())
        self._digits = digits.lower() if usable else ""
        self._found: dict[str, _Found] = {}
        self._contents: defaultdict[str, set[str]] = defaultdict(set)

    def answer(self) -> tuple[Match, ...]:
        """Return the files that may be meant, ordered."""
        for candidate, word in (*self._by_digest(), *self._by_name(), *self._made_from()):
            one = self._found.setdefault(
                f"{candidate.key}\n{candidate.path}", _Found(file=candidate)
            )
            if word not in one.words:
                one.words.append(word)
        self._look_at_folders()
        there = {key: one.file.is_there for key, one in self._found.items()}
        for key, one in self._found.items():
            if there[key] or not any(there.values()):
                for word in one.words:
                    self._contents[word].add(one.file.content)
        matches = [self._judged(one, there=there[key]) for key, one in self._found.items()]
        return tuple(sorted(without_noise(matches), key=rank))

    def published(self) -> tuple[Hit, ...]:
        """Return published files by digest; by name, those whose digest is not another one."""
        by_digest = [hit for _, hit in self._published_with_digits()]
        named = [
            Hit(meaning=word, known=row, exact=False)
            for word, row in self._published_so() if not self._is_other(row)
        ]  # fmt: skip
        exact = [hit for hit in named if hit.meaning in AGREEING]
        found = {hit.content: hit for hit in reversed([*by_digest, *(exact or named)])}
        return tuple(reversed(found.values()))

    def _by_digest(self) -> Iterator[tuple[Candidate, str]]:
        for meaning in meanings_of(self._digits):
            word = self._word(meaning.word)
            for one in self._shelves.with_digest(meaning.field, self._digits):
                yield one, word
        for word, hit in self._published_with_digits():
            assert hit.known is not None
            self._contents[word].add(hit.content)
            if hit.known.sha256 and hit.exact:
                for one in self._shelves.with_digest("sha256", hit.known.sha256):
                    yield one, word

    def _published_with_digits(self) -> Iterator[tuple[str, Hit]]:
        for meaning in meanings_of(self._digits):
            for hit in published_with(meaning, self._digits):
                yield self._word(meaning.word), hit

    def _word(self, meaning: str) -> str:
        """Return what a digest speaks as: that of a VAE in an infotext is not to be trusted."""
        doubtful = self._reference.role == "vae" and len(self._digits) == _VAE_HASH_DIGITS
        return "vae_hash" if doubtful and meaning == "autov2" else meaning

    def _by_name(self) -> Iterator[tuple[Candidate, str]]:
        if self._name is None:
            yield from self._by_name_hash()
            return
        exact = False
        for one, word in self._of_name(self._name):
            exact = exact or word == "name"
            yield one, word
        if not exact:
            yield from self._joined(self._name)
            yield from self._seen_as(self._name)
        yield from self._called(self._name)
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
        spellings = self._name.spellings if self._name else ()
        for one in self._shelves.made_from(spellings, self._digits):
            yield one, "made_from"

    def _published_files(self) -> Iterator[tuple[Candidate, str]]:
        """Yield the files that were published under the name, whatever they are called here."""
        for word, row in self._published_so():
            for meaning in ("sha256", "data_sha256"):
                if digest := getattr(row, meaning):
                    for one in self._shelves.with_digest(meaning, digest):
                        yield one, word

    def _published_so(self) -> Iterator[tuple[str, Known]]:
        if self._name is None:
            return
        files, titles = published_as(self._name)
        for row in filter(self._can_be, files):
            likeness = _likeness(row.filename, self._name)
            yield "published_name" if likeness == "name" else likeness, row
        yield from (("published_title", row) for row in titles if self._can_be(row))

    def _can_be(self, row: Known) -> bool:
        """Whether a published file is not known to be of another kind than the one meant."""
        return not row.kind_is_sure or kind_agrees(self._reference.role, row.kind) is not False

    def _by_name_hash(self) -> Iterator[tuple[Candidate, str]]:
        """Yield the files of whose name, not content, the digits are."""
        if len(self._digits) in NAME_HASH_DIGITS:
            names = [name for name in self._shelves.names() if self._is_name_hash(name)]
            for one in self._shelves.exactly_named(names):
                yield one, "name_hash"

    def _is_name_hash(self, name: str) -> bool:
        fits = len(self._digits) in NAME_HASH_DIGITS
        return fits and name_hash(name).startswith(self._digits)

    def _is_other(self, row: Known) -> bool:
        """Whether the digits are known not to be those of a published file: none of its own."""
        fields = {meaning.field for meaning in meanings_of(self._digits)} - {"sshs_model_hash"}
        if len(self._digits) == 10:  # of the data, only LoRAs have so few
            fields -= {"data_sha256"}
        known = all(getattr(row, name, "") for name in fields)
        return bool(fields) and known and not self._is_vae_hash()

    def _is_vae_hash(self) -> bool:
        return self._word("autov2") == "vae_hash"

    def _is_other_vae(self) -> bool:
        """Whether a VAE was published under the exact name, and the hash is not that one's."""
        rows = [row for word, row in self._published_so() if word == "published_name"]
        known = [row.sha256 for row in rows if row.sha256]
        return bool(known) and not any(one.startswith(self._digits) for one in known)

    def _look_at_folders(self) -> None:
        """Of several files of the name, prefer those that lie in the folders that it has."""
        name = self._name
        named = [one for one in self._found.values() if "name" in one.words]
        if name is None or not name.folders or len(named) < 2:
            return
        shared = [shared_folders(name, str(one.file.path)) for one in named]
        for one, count in zip(named, shared, strict=True):
            if count < max(shared):
                one.words[one.words.index("name")] = "other_folder"

    def _judged(self, one: _Found, *, there: bool) -> Match:
        words = sorted(one.words, key=MEANING_ORDER.__getitem__)
        agrees = kind_agrees(self._reference.role, one.file.kind)
        other = self._contradicts(one)
        named = not AGREEING.isdisjoint(words)
        by_digest = [self._by_grade(w, DIGESTS[w], named=named) for w in words if w in DIGESTS]
        by_name = [self._by_grade(word, NAMES[word]) for word in words if word in NAMES]
        if agrees is False or other:
            by_name = ["possible"] * len(by_name)
        certainty = min([*by_digest, *by_name], key=ORDER.index)
        digests = one.file.digests
        return Match(
            path=one.file.path, file_id=one.file.id, certainty=certainty, meaning=words[0],
            also=tuple(words[1:]), present=there, kind=one.file.kind, kind_agrees=agrees,
            contradicts=other, sha256=digests.get("sha256"),
            data_sha256=digests.get("data_sha256"), autov1=digests.get("autov1"),
        )  # fmt: skip

    def _by_grade(self, word: str, grade: Grade, *, named: bool = False) -> Certainty:
        several = len(self._contents[word]) > 1
        meant = self._reference.meanings
        unlikely = bool(meant) and word in DIGESTS and word not in {*meant, *_NEVER_SAID}
        unlikely = unlikely or (word == "vae_hash" and self._is_other_vae())
        if named:
            return doubted(grade.named) if several and grade.alone != "certain" else grade.named
        return grade.several if several or unlikely else grade.alone

    def _contradicts(self, one: _Found) -> bool:
        """Whether the file is known to have another digest than the one that was written."""
        if self._is_vae_hash() or any(word in _DIGESTED for word in one.words):
            return False
        wanted = {meaning.field for meaning in meanings_of(self._digits)} & _TELLING
        if one.file.path.suffix.lower() not in {".safetensors", ".sft"}:
            wanted -= {"data_sha256"}
        return bool(wanted) and wanted <= one.file.digests.keys()


def _likeness(own: str, name: Name) -> str:
    """Return how the name of a file agrees with a name that is spelled like it."""
    stem, suffix = split(own)
    if stem.casefold() != name.stem.casefold():
        return "other_spelling"
    return "name" if not name.suffix or not suffix or suffix == name.suffix else "other_suffix"
