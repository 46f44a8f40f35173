"""A plan carried out, set by set, under its journal; what killed runs left, brought to an end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kanna.disk.moving import remove_folder
from kanna.engine.job import write_error
from kanna.engine.meter import Meter
from kanna.engine.options import Progress
from kanna.errors import Interrupted, KannaError
from kanna.filing.carrying import carry
from kanna.filing.checking import copies
from kanna.filing.ending import finish, take_back
from kanna.filing.journal import Filing, Journal, filings, find_filing
from kanna.filing.values import FileSet, FilingPlan, Step
from kanna.hashing.digests import Digests
from kanna.model import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What became of files: those with a new place, those that are nowhere, those in a trash."""

    moved: tuple[tuple[Path, Path], ...] = ()
    gone: tuple[Path, ...] = ()


Follow = Callable[[Changes], bool]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one set: what a person should know, or why all is as it was."""

    files: FileSet
    notes: tuple[Note, ...] = ()
    error: KannaError | None = None


@dataclass(slots=True, kw_only=True)
class Executed:
    """A plan that was carried out, under its number; `followed` says that the library knows.

    `digests` are those of the files that were copied.
    """

    number: int
    outcomes: list[Outcome] = field(default_factory=list)
    digests: dict[Path, Digests] = field(default_factory=dict)
    followed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A set of a filing that was killed, and how it came to an end."""

    number: int
    verb: str
    path: Path | None
    end: Literal["finished", "taken_back"]
    notes: tuple[Note, ...] = ()


def execute(
    plan: FilingPlan,
    folder: Path,
    follow: Follow,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Executed:
    """Carry out `plan`, with its journal in `folder`; a set that fails does not stop the others.

    `follow` tells the library, and returns whether it could be told.

    Raises:
        Interrupted: Ctrl-C or `cancel`; what was done until then is told in the journal.
        KannaError: the journal cannot be written.
    """
    total = sum(2 * step.size for one in plan.todo for step in one.steps if copies(step))
    meter = Meter(total, progress, cancel)
    try:
        journal = Journal.begin(folder, plan)
    except OSError as error:
        raise write_error(error, folder) from error
    with journal:
        made = Executed(number=journal.number)
        try:
            for number, files in enumerate(plan.todo):
                made.outcomes.append(_carried(journal, number, files, meter, made))
        except Interrupted as error:
            raise _stopped(error, made) from None
        finally:
            made.followed = _follow(find_filing(folder, journal.number), journal, follow)
        if plan.of is not None and all(one.error is None for one in made.outcomes):
            _clear(find_filing(folder, plan.of))
    return made


def _carried(
    journal: Journal, number: int, files: FileSet, meter: Meter, made: Executed
) -> Outcome:
    """Carry out one set.

    Raises:
        Interrupted: Ctrl-C.
    """
    try:
        carried = carry(journal, number, files, meter)
    except Interrupted:
        raise
    except KannaError as error:
        return Outcome(files=files, error=error)
    made.digests |= carried.digests
    return Outcome(files=files, notes=carried.notes)


def _stopped(error: Interrupted, made: Executed) -> Interrupted:
    """Return what is true of all sets where the user stopped in the middle of them."""
    done = [one.files.path for one in made.outcomes if one.error is None]
    if error.key == "filing.interrupted_after" or not done:
        return error
    return Interrupted("filing.interrupted_after", path=done[-1])


def settle(folder: Path, follow: Follow) -> list[Settled]:
    """Bring to an end what killed runs have begun: finish what was complete, take back the rest.

    Raises:
        KannaError: the disk fails.
    """
    settled: list[Settled] = []
    for filing in filings(folder):
        if filing.ended and (filing.followed or not filing.done):
            continue
        try:
            journal = Journal.resume(filing)
            if journal is not None:
                with journal:
                    settled += _settled(find_filing(folder, filing.number), journal)
                    _follow(find_filing(folder, filing.number), journal, follow)
        except OSError as error:
            raise write_error(error, filing.path) from error
    return settled


def _settled(filing: Filing, journal: Journal) -> Iterator[Settled]:
    for number, progress in filing.progress.items():
        steps = filing.sets[number]
        if progress.event == "complete":
            notes = finish(steps, progress)
            journal.note(number, "done")
            yield _told(filing, steps, "finished", notes)
        elif progress.event == "begun":
            take_back(steps, progress, filing.token)
            journal.note(number, "taken_back")
            yield _told(filing, steps, "taken_back", ())


def _told(
    filing: Filing,
    steps: Sequence[Step],
    end: Literal["finished", "taken_back"],
    notes: tuple[Note, ...],
) -> Settled:
    path = next((step.source for step in steps if step.source is not None), None)
    return Settled(number=filing.number, verb=filing.verb, path=path, end=end, notes=notes)


def changes_of(filing: Filing) -> Changes:
    """Return what became of the files of all sets that were carried out."""
    steps = [step for number in filing.done for step in filing.sets[number]]
    places = [(s.source, s.destination) for s in steps if s.action == "move"]
    moved = tuple((a, b) for a, b in places if a is not None and b is not None)
    gone = tuple(s.source for s in steps if s.action == "remove" and s.source is not None)
    if filing.verb == "trash":
        return Changes(gone=tuple(old for old, _ in moved) + gone)
    return Changes(moved=moved, gone=gone)


def _follow(filing: Filing, journal: Journal, follow: Follow) -> bool:
    """Tell the library, once."""
    if filing.followed or not filing.done:
        return True
    if not follow(changes_of(filing)):
        return False
    with suppress(OSError):  # then it is told once more
        journal.write({"event": "followed"})
    return True


def _clear(filing: Filing) -> None:
    """Remove the folders that a filing had made, where nothing is in them any more."""
    folders = {folder for one in filing.progress.values() for folder in one.folders}
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        remove_folder(folder)
