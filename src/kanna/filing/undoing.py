"""What a journal tells, taken back: every file to where it was, if it is still what it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kanna.disk.moving import Entry, look, look_through
from kanna.engine.job import write_error
from kanna.errors import FormatError, Incomplete, KannaError, UsageError
from kanna.filing.checking import Checked, check_steps, unchanged
from kanna.filing.ending import is_staged
from kanna.filing.journal import Filing, Progressed, filings
from kanna.filing.planning import finished_plan
from kanna.filing.values import FileSet, FilingPlan, Step

UNDOABLE: Final = frozenset({"move", "rename", "trash"})


def undone(folder: Path) -> frozenset[int]:
    """Return the numbers of the filings that were taken back."""
    return frozenset(one.of for one in filings(folder) if one.of is not None and one.done)


def last_undoable(folder: Path) -> Filing:
    """Return the last filing that can be taken back.

    Raises:
        UsageError: there is none.
    """
    gone = undone(folder)
    for filing in filings(folder):
        if filing.verb in UNDOABLE and filing.done and filing.number not in gone:
            return filing
    raise UsageError("filing.nothing_to_undo")


def plan_undo(filing: Filing, folder: Path, checked: Checked) -> FilingPlan:
    """Return the plan that takes `filing` back.

    Raises:
        UsageError: it cannot be taken back, or was.
    """
    if filing.verb not in UNDOABLE or not filing.done:
        raise UsageError("filing.cannot_undo", number=filing.number, verb=filing.verb)
    if filing.number in undone(folder):
        raise UsageError("filing.undone", number=filing.number)
    sets: list[FileSet] = []
    refused: list[tuple[Path, KannaError]] = []
    for number in reversed(filing.done):
        steps, progress = filing.sets[number], filing.progress[number]
        path = next(s.destination for s in steps if s.action == "move" and s.destination)
        try:
            back = tuple(_backwards(steps, progress))
            sets.append(FileSet(path=path, steps=check_steps(back, checked)))
        except KannaError as error:
            refused.append((path, error))
        except OSError as error:
            refused.append((path, write_error(error, path)))
    return finished_plan(
        FilingPlan(verb="undo", sets=tuple(sets), refused=tuple(refused), of=filing.number)
    )


def _backwards(steps: tuple[Step, ...], progress: Progressed) -> Iterator[Step]:
    """Yield what takes back each step.

    Raises:
        Incomplete: a file is not where it was put.
        FormatError: it is not what it was any more.
        OSError: the system cannot tell.
    """
    for n, step in enumerate(steps):
        place = step.destination
        if place is None or step.action in {"remove", "leave"}:
            continue
        now = look(place)
        same = now is not None and _is_same(step, place, now, progress, n)
        if step.action == "move":
            if now is None:
                raise Incomplete("disk.missing", path=place)
            if not same:
                raise FormatError("filing.changed_since", path=place)
            yield _back(step, place, now)
        elif now is not None and step.there is None:
            needless = same and unchanged(step)
            yield Step(
                action="remove" if needless else "leave", role=step.role, source=place,
                size=now.state.size, why="back" if needless else "changed", entry=now,
            )  # fmt: skip


def _back(step: Step, place: Path, now: Entry) -> Step:
    """Return the way back of a moved file; one that was at its place before stays there, too."""
    return Step(
        action="move" if step.there is None else "copy", role=step.role, source=place,
        destination=step.source, size=step.size, why="back", entry=now,
        tree=tuple(look_through(place)) if now.kind == "folder" else (),
        replace=tuple((new, old) for old, new in step.replace),
    )  # fmt: skip


def _is_same(step: Step, place: Path, now: Entry, progress: Progressed, n: int) -> bool:
    """Whether a file is what was put there, or has been away and came back since."""
    entry, staged = step.entry, progress.staged.get(n)
    if now.kind == "folder":
        return entry is not None and _same_content(place, step)
    if now.kind == "link":
        return entry is not None and entry.kind == "link"
    if staged is not None:
        return is_staged(place, now, staged, progress.digests.get(n))
    put = step.there or (None if entry is None else entry.state)
    return put is not None and (put.size, put.mtime_ns) == (now.state.size, now.state.mtime_ns)


def _same_content(place: Path, step: Step) -> bool:
    """Whether a folder holds what it held: the same names, sizes and times."""
    return [_known(name, one) for name, one in look_through(place)] == [
        _known(name, one) for name, one in step.tree
    ]


def _known(name: str, entry: Entry) -> tuple[object, ...]:
    if entry.kind != "file":
        return name, entry.kind
    return name, entry.kind, entry.state.size, entry.state.mtime_ns
