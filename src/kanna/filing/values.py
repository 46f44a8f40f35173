"""What is to be done with files, as values: steps, sets that stand or fall together, plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from kanna.disk import Fingerprint
from kanna.disk.moving import Entry
from kanna.errors import KannaError
from kanna.model import Note

Verb = Literal["move", "copy", "rename", "delete", "trash", "undo"]
Action = Literal["move", "copy", "write", "remove", "leave"]
OnConflict = Literal["refuse", "skip", "rename"]

# What each action needs: a source that it takes away, a destination that it makes.
TAKES: Final = frozenset({"move", "remove"})
MAKES: Final = frozenset({"move", "copy", "write"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file, link or folder, and what happens to it.

    `why` is the end of a message key: why it goes along, or why it stays. `size` is in bytes;
    `entry` is what the source was when this was planned, `tree` everything below it if it is a
    folder. `there` is what stands at the destination already and is the same. `replace` are
    strings to be replaced in the file by others; `text` is what is written where there is no
    source.
    """

    action: Action
    role: str
    source: Path | None = None
    destination: Path | None = None
    size: int = 0
    why: str = "named"
    entry: Entry | None = None
    tree: tuple[tuple[str, Entry], ...] = ()
    there: Fingerprint | None = None
    replace: tuple[tuple[str, str], ...] = ()
    text: str | None = None

    @property
    def takes(self) -> bool:
        """Whether the source will be gone."""
        return self.action in TAKES

    @property
    def makes(self) -> bool:
        """Whether the destination is made here."""
        return self.action in MAKES and self.there is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """The files of one model, which stand or fall together.

    `skipped` says why nothing happens to them, if nothing does.
    """

    path: Path
    steps: tuple[Step, ...]
    notes: tuple[Note, ...] = ()
    skipped: Note | None = None

    @property
    def size(self) -> int:
        """The bytes of all files that something happens to."""
        return sum(step.size for step in self.steps if step.action != "leave")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingPlan:
    """What a verb will do, set by set, and what it refuses.

    `room` is how many bytes each folder's disk must have free; `of` is the filing that is undone.
    """

    verb: Verb
    sets: tuple[FileSet, ...]
    refused: tuple[tuple[Path, KannaError], ...] = ()
    room: Mapping[Path, int] = field(default_factory=dict)
    of: int | None = None

    @property
    def todo(self) -> tuple[FileSet, ...]:
        """The sets to which something happens."""
        return tuple(one for one in self.sets if one.skipped is None)

    def made(self) -> Iterator[tuple[Path, Path]]:
        """Yield source and destination of everything that gets another place."""
        for one in self.todo:
            for step in one.steps:
                if step.action == "move" and step.source and step.destination:
                    yield step.source, step.destination

    def gone(self) -> Iterator[Path]:
        """Yield everything that will be nowhere."""
        for one in self.todo:
            yield from (s.source for s in one.steps if s.action == "remove" and s.source)


def step_record(step: Step) -> dict[str, Any]:
    """Return a step as the journal keeps it."""
    return {
        "action": step.action, "role": step.role, "size": step.size, "why": step.why,
        "source": None if step.source is None else str(step.source),
        "destination": None if step.destination is None else str(step.destination),
        "entry": None if step.entry is None else entry_record(step.entry),
        "tree": [[name, entry_record(entry)] for name, entry in step.tree],
        "there": None if step.there is None else state_record(step.there),
        "replace": [list(pair) for pair in step.replace], "text": step.text,
    }  # fmt: skip


def step_of(record: Mapping[str, Any]) -> Step:
    """Return the step that the journal kept.

    Raises:
        KeyError, TypeError, ValueError: it is no such record.
    """
    source, destination, entry = record["source"], record["destination"], record["entry"]
    return Step(
        action=record["action"], role=record["role"], size=record["size"], why=record["why"],
        source=None if source is None else Path(source),
        destination=None if destination is None else Path(destination),
        entry=None if entry is None else entry_of(entry),
        tree=tuple((name, entry_of(one)) for name, one in record["tree"]),
        there=None if record["there"] is None else Fingerprint(*record["there"]),
        replace=tuple((old, new) for old, new in record["replace"]), text=record["text"],
    )  # fmt: skip


def state_record(state: Fingerprint) -> list[int]:
    """Return a file's state as the journal keeps it."""
    return [state.device, state.inode, state.size, state.mtime_ns]


def entry_record(entry: Entry) -> list[Any]:
    """Return what stood under a name as the journal keeps it."""
    return [entry.kind, entry.mode, *state_record(entry.state)]


def entry_of(record: list[Any]) -> Entry:
    """Return what stood under a name, as the journal kept it."""
    kind, mode, *state = record
    return Entry(kind=kind, mode=mode, state=Fingerprint(*state))
