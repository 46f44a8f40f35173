"""What a scan says: a verdict, the threats it rests on, the globals that were met."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kanna.model import Note

Verdict = Literal["clean", "suspicious", "dangerous"]
VERDICTS: Final[tuple[Verdict, ...]] = ("clean", "suspicious", "dangerous")  # ever graver


def worst(*verdicts: Verdict) -> Verdict:
    """Return the gravest of `verdicts`; clean if there are none."""
    return max(verdicts, key=VERDICTS.index, default="clean")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is: a file, a member of that archive, a byte.

    `offset` counts bytes in the file, or is None where they are compressed or of no one place.
    """

    path: Path
    member: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """One reason not to trust a file.

    `code` is stable and is a row of `kanna.scan.rules`. `note` says what is the matter here.
    `name` is the global that it is about, `position` that of its opcode in its pickle.
    """

    code: str
    verdict: Verdict
    note: Note
    place: Place
    name: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalVerdict:
    """A global that a pickle names, whether it would be called, and what to think of it."""

    name: str
    verdict: Verdict
    called: bool
    position: int
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The answer to whether a file is safe.

    `container` is a word of the identity document, or None where it is no model file; `what` then
    says what it is instead. `accounted` are the bytes whose meaning is known, of `size`. A folder
    counts all files that were scanned in it; those are `files`.
    """

    path: Path
    container: str | None
    verdict: Verdict
    size: int
    accounted: int
    threats: tuple[Threat, ...] = ()
    globals: tuple[GlobalVerdict, ...] = ()
    files: tuple[Path, ...] = ()
    what: Note | None = None
