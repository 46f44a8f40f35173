"""What a scan of the library is asked for, where it stands, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kanna.catalog.roots import Root
from kanna.model import Note

Stage: TypeAlias = Literal["look", "read", "hash"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryScanOptions:
    """How to scan: `full` reads every header again, without `hash` no digest is computed.

    `parts` asks for the component digests of all models, which reads them a second time. `threads`
    is None for ``KANNA_THREADS``, else one reader per core, and up to four to hash. A `dry_run`
    only looks: it counts what is new, changed, moved or gone, and reads and writes nothing.
    """

    hash: bool = True
    parts: bool = False
    full: bool = False
    dry_run: bool = False
    threads: int | None = None


@dataclass(slots=True, kw_only=True)
class LibraryScanProgress:
    """Where a scan stands: files seen, to be read, and read; when hashing, bytes."""

    stage: Stage = "look"
    seen: int = 0
    asked: int = 0
    read: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a scan found, in numbers of files."""

    new: int = 0
    changed: int = 0
    moved: int = 0
    back: int = 0
    gone: int = 0
    unchanged: int = 0
    broken: int = 0
    hashed: int = 0

    def to_json(self) -> dict[str, int]:
        """Return them for a JSON document."""
        names = ("new", "changed", "moved", "back", "gone", "unchanged", "broken", "hashed")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True, kw_only=True)
class LibraryScanned:
    """How a scan went: models and pictures apart, folders that were not there, remarks."""

    models: Counts = field(default_factory=Counts)
    images: Counts = field(default_factory=Counts)
    missing: list[Root] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seconds: float = 0.0

    def of(self, table: str) -> Counts:
        """Return the counts of a table."""
        return self.images if table == "image" else self.models
