"""One reference, asked: which files it may mean, how sure that is of each, the surest first."""

from __future__ import annotations

from collections import defaultdict
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
from kanna.catalog.matching_names import shared_folders
from kanna.catalog.matching_rows import Candidate, Shelves
from kanna.catalog.matching_search import Search
from kanna.catalog.matching_values import Match, rank, without_noise
from kanna.hashing.known import Known
from kanna.hashing.resolving import MEANINGS, Hit, meanings_of
from kanna.infotext.info import ModelReference

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
    """A reference, and how what is found for it is judged."""

    def __init__(self, shelves: Shelves, reference: ModelReference) -> None:
        """Ask these shelves."""
        self._reference, self._search = reference, Search(shelves, reference)
        self._found: dict[str, _Found] = {}
        self._contents: defaultdict[str, set[str]] = defaultdict(set)

    def answer(self) -> tuple[Match, ...]:
        """Return the files that may be meant, ordered."""
        for word, hit in self._search.published_with_digits:
            self._contents[word].add(hit.content)
        for candidate, word in self._search.files():
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
        by_digest = [hit for _, hit in self._search.published_with_digits]
        named = [
            Hit(meaning=word, known=row, exact=False)
            for word, row in self._search.published_under_name() if not self._is_other(row)
        ]  # fmt: skip
        exact = [hit for hit in named if hit.meaning in AGREEING]
        found = {hit.content: hit for hit in reversed([*by_digest, *(exact or named)])}
        return tuple(reversed(found.values()))

    def _is_other(self, row: Known) -> bool:
        """Whether the digits are known not to be those of a published file: none of its own."""
        digits = self._search.digits
        fields = {meaning.field for meaning in meanings_of(digits)} - {"sshs_model_hash"}
        if len(digits) == 10:  # of the data, only LoRAs have so few
            fields -= {"data_sha256"}
        known = all(getattr(row, name, "") for name in fields)
        return bool(fields) and known and not self._search.is_vae_hash

    def _is_other_vae(self) -> bool:
        """Whether a VAE was published under the exact name, and the hash is not that one's."""
        rows = [
            row for word, row in self._search.published_under_name() if word == "published_name"
        ]
        known = [row.sha256 for row in rows if row.sha256]
        return bool(known) and not any(one.startswith(self._search.digits) for one in known)

    def _look_at_folders(self) -> None:
        """Of several files of the name, prefer those that lie in the folders that it has."""
        name = self._search.name
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
        if self._search.is_vae_hash or any(word in _DIGESTED for word in one.words):
            return False
        wanted = {meaning.field for meaning in meanings_of(self._search.digits)} & _TELLING
        if one.file.path.suffix.lower() not in {".safetensors", ".sft"}:
            wanted -= {"data_sha256"}
        return bool(wanted) and wanted <= one.file.digests.keys()
