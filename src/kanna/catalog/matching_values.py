"""A file that may be meant, and the order of several: the surest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kanna.catalog.matching_grades import AGREEING, DIGESTS, MEANING_ORDER, ORDER, Certainty


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A file that a reference may mean.

    `file_id` is its row in the library, None where only the cache of hashes knows it. `meaning` is
    what speaks for it most, a word of `kanna.catalog.matching_grades`, and `also` what else does.
    `present` says that it is there now. `kind_agrees` is None where it is not known. `contradicts`
    says that the picture's digest is that of another file. The digests are None until known.
    """

    path: Path
    file_id: int | None
    certainty: Certainty
    meaning: str
    also: tuple[str, ...] = ()
    present: bool
    kind: str | None = None
    kind_agrees: bool | None = None
    contradicts: bool = False
    sha256: str | None = None
    data_sha256: str | None = None
    autov1: str | None = None

    @property
    def named(self) -> bool:
        """Whether an exact name speaks for it."""
        return not AGREEING.isdisjoint((self.meaning, *self.also))

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "path": str(self.path), "certainty": self.certainty, "meaning": self.meaning,
            "also": list(self.also), "present": self.present, "kind": self.kind,
            "kind_agrees": self.kind_agrees, "contradicts": self.contradicts,
            "in_library": self.file_id is not None, "sha256": self.sha256,
            "data_sha256": self.data_sha256, "autov1": self.autov1,
        }  # fmt: skip


def rank(one: Match) -> tuple[bool, int, bool, int, int, bool, str]:
    """Return what orders matches: those that are there, the surest, what speaks most for them."""
    return (
        not one.present, ORDER.index(one.certainty), one.contradicts, MEANING_ORDER[one.meaning],
        -len(one.also), one.file_id is None, str(one.path),
    )  # fmt: skip


def without_noise(matches: Iterable[Match]) -> list[Match]:
    """Leave out what only a name speaks for where a digest says for certain which file it is.

    Of VAEs, the name counts more than what A1111 wrote for a hash.
    """
    matches = list(matches)
    if any(one.certainty == "certain" and one.meaning in DIGESTS for one in matches):
        return [one for one in matches if one.meaning in DIGESTS]
    if any(one.meaning in AGREEING and one.certainty == "likely" for one in matches):
        return [
            replace(one, certainty="possible", contradicts=True)
            if one.meaning == "vae_hash" and not one.named
            else one
            for one in matches
        ]
    return matches
