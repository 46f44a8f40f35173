"""What the metadata verbs answer, and how an edit is asked for, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kanna.api.reading import StrPath
from kanna.engine import RunOptions
from kanna.metadata.companions import Companion
from kanna.metadata.editing import Change
from kanna.metadata.modelspec import Spec
from kanna.metadata.training import Training
from kanna.model import Note

Way = Literal["in_place", "new_file", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMetadata:
    """What a file says about itself, and what is said of it beside it.

    `fields` are all of them, text to text; `groups` the same by whose they are. `extras` is what a
    checkpoint carries beside its tensors. `leaks` names fields that tell private things, with the
    word for what. `header` is the bytes before the data and `room` how many of them are free, None
    for containers and URLs that have no such room. `contradictions` are what the tensors show
    otherwise.
    """

    path: Path
    container: str
    kind: str
    architecture: str | None
    fields: Mapping[str, str]
    groups: Mapping[str, Mapping[str, str]]
    spec: Spec
    training: Training | None
    extras: Mapping[str, object]
    leaks: Mapping[str, str]
    contradictions: tuple[Note, ...]
    header: int | None
    room: int | None
    companions: tuple[Companion, ...]
    previews: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestEffects:
    """What an edit means for the digests of a file: all that cover its header change.

    `changed` and `kept` are words of `kanna.hashing.digests.Digests`. `autov1` is before and after.
    `cached` says that the cache of hashes knew the old state. `sidecar` is a ``.sha256`` file that
    is out of date now; `sidecar_written` that it was written anew.
    """

    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    autov1: tuple[str, str] | None = None
    data_sha256: str | None = None
    cached: bool = False
    sidecar: Path | None = None
    sidecar_written: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """An edit of metadata: planned, and carried out unless only the plan was asked for.

    `way` is how: the header where it is, a new file, or ``nothing`` where nothing differs. `room`
    is what is left in the header for the next edit.
    """

    path: Path
    destination: Path
    before: Mapping[str, str]
    after: Mapping[str, str]
    changes: tuple[Change, ...]
    reasons: Mapping[str, str]
    notes: tuple[Note, ...]
    way: Way
    dry_run: bool
    size: int
    room: int
    digests: DigestEffects
    verified: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOptions:
    """How an edit is made: where to, whether at all, and what is done beside it.

    `destination` is a file or a folder; None edits the file itself. `sidecar` writes the
    ``.sha256`` file anew, which reads all of the file. ``run_options.verify`` ``full`` hashes all
    tensor data before and after; ``run_options.force`` replaces an existing destination, edits a
    file that has other names (hard links), and lets go of fields that loaders need. `protected`
    are files that a destination must not replace: the other inputs of a batch.
    """

    destination: StrPath | None = None
    sidecar: bool = False
    dry_run: bool = False
    run_options: RunOptions = field(default_factory=RunOptions)
    protected: tuple[StrPath, ...] = ()
