"""From what a person named to a plan: every file with its new place, and every refusal.

::

    subjects   what was named, with its companions
    planning   move, copy, rename, delete: steps; here
    trashing   the same for the system's trash
    undoing    the same for what a journal tells
    checking   what must not be, what is there already, how much room it takes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kanna.disk import InputFile
from kanna.disk.moving import Entry, look
from kanna.engine.job import write_error
from kanna.errors import Incomplete, KannaError, OutputExists, UsageError
from kanna.filing.checking import (
    Checked,
    check_folder,
    check_name,
    check_sources,
    check_steps,
    room_for,
)
from kanna.filing.rewording import LIMITS, reworded
from kanna.filing.subjects import Member, Subject, subjects_of
from kanna.filing.values import Action, FileSet, FilingPlan, OnConflict, Step, Verb
from kanna.model import Note

_TRIES: Final = 1000
Steps = Callable[[Subject, str], Iterable[Step]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingRequest:
    """What is asked: `folder` says where each file goes, for a move or a copy; `stem` renames.

    `trash` is kanna's own, for files whose disk has none. Members with a role in `without` stay
    where they are.
    """

    verb: Verb
    paths: Sequence[Path]
    folder: Callable[[Path], Path] | None = None
    trash: Path | None = None
    stem: str | None = None
    on_conflict: OnConflict = "refuse"
    without: frozenset[str] = frozenset()


def plan_filing(request: FilingRequest, checked: Checked) -> FilingPlan:
    """Return what `request` would do; what cannot be done is told in the plan, not raised.

    Raises:
        UsageError: the request makes no sense, whatever the files.
    """
    if request.verb == "rename":
        _check_rename(request)
    steps = _steps_of(request)
    sets: list[FileSet] = []
    refused: list[tuple[Path, KannaError]] = []
    for subject in subjects_of(request.paths):
        path = subject[0] if isinstance(subject, tuple) else subject.path
        try:
            if isinstance(subject, tuple):
                raise subject[1]
            going = tuple(one for one in subject.members if one.role not in request.without)
            wanted = replace(subject, members=going)
            sets.append(_set(wanted, steps, request.on_conflict, checked))
        except KannaError as error:
            refused.append((path, error))
        except OSError as error:
            refused.append((path, write_error(error, path)))
    return finished_plan(FilingPlan(verb=request.verb, sets=tuple(sets), refused=tuple(refused)))


def finished_plan(plan: FilingPlan) -> FilingPlan:
    """Return the plan with the room that it takes; where there is none, it is refused."""
    room, trouble = room_for(plan)
    return replace(plan, room=room, refused=(*plan.refused, *trouble))


def _check_rename(request: FilingRequest) -> None:
    if len(request.paths) != 1:
        raise UsageError("filing.rename_one")
    stem = request.stem or ""
    if not stem or stem in {".", ".."} or not {"/", "\\"}.isdisjoint(stem):
        raise UsageError("filing.bad_stem", stem=stem)


def _set(subject: Subject, steps: Steps, on_conflict: OnConflict, checked: Checked) -> FileSet:
    """Return the set of a subject; where its place is taken, as `on_conflict` says.

    Raises:
        KannaError: it cannot be done.
        OSError: the system cannot tell.
    """
    stems = [subject.stem]
    if on_conflict == "rename":
        stems += [f"{subject.stem}-{number}" for number in range(2, _TRIES)]
    for stem in stems:
        made = tuple(steps(subject, stem))
        try:
            made = check_steps(made, checked)
        except OutputExists as error:
            if on_conflict == "refuse" or (on_conflict == "rename" and stem == stems[-1]):
                raise
            if on_conflict == "skip":
                why = Note(error.key, error.values)
                return FileSet(path=subject.path, steps=made, notes=subject.notes, skipped=why)
        else:
            return FileSet(path=subject.path, steps=made, notes=subject.notes)
    raise AssertionError


def _steps_of(request: FilingRequest) -> Steps:
    if request.verb == "delete":
        return _deleting
    if request.verb == "rename":
        assert request.stem is not None
        return _renaming(request.stem)
    if request.verb == "trash":
        assert request.trash is not None
        return _trashing(request.trash)
    assert request.folder is not None
    return _carrying(request.verb, request.folder)


def _carrying(verb: Verb, folder: Callable[[Path], Path]) -> Steps:
    """Return the steps of a move or a copy; a shared companion is copied where a model stays."""

    def steps(subject: Subject, stem: str) -> Iterable[Step]:
        place = folder(subject.path)
        check_sources(subject, taken=verb == "move")
        check_folder(place, subject)
        for member, name, pairs in _named(subject, stem):
            action: Action = "move" if verb == "move" and not member.shared else "copy"
            yield step_of_member(member, action, place / name, pairs)

    return steps


def _renaming(wanted: str) -> Steps:
    def steps(subject: Subject, _stem: str) -> Iterable[Step]:
        check_sources(subject, taken=True)
        stem = _without_suffix(wanted, subject)
        check_name(stem, subject)
        if stem == subject.stem:
            raise UsageError("filing.same_name", path=subject.path, stem=stem)
        for member, name, pairs in _named(subject, stem):
            if name != member.path.name:
                action: Action = "copy" if member.shared else "move"
                yield step_of_member(member, action, member.path.with_name(name), pairs)

    return steps


def _without_suffix(wanted: str, subject: Subject) -> str:
    """Return a new name without the suffix that the model has, which people write at times."""
    suffix = subject.path.name[len(subject.stem) :]
    if wanted == suffix or not wanted.lower().endswith(suffix.lower()):
        return wanted
    return wanted[: len(wanted) - len(suffix)]


def _deleting(subject: Subject, _stem: str) -> Iterable[Step]:
    check_sources(subject, taken=True, protected=True)
    for member in subject.members:
        action: Action = "leave" if member.shared else "remove"
        yield step_of_member(member, action, None)


def _trashing(own: Path) -> Steps:
    from kanna.filing.trashing import trash_of, trash_steps  # which makes its steps here

    return lambda subject, _: trash_steps(subject, trash_of(subject.path, own))


def _named(
    subject: Subject, stem: str
) -> Iterable[tuple[Member, str, tuple[tuple[str, str], ...]]]:
    """Yield each member with its name under another stem, and the names in it that follow."""
    names = {member.path.name: _under(member, subject.stem, stem) for member in subject.members}
    pairs = tuple((old, new) for old, new in names.items() if old != new)
    for member in subject.members:
        yield member, names[member.path.name], _needed(member, pairs)


def _under(member: Member, old: str, new: str) -> str:
    name = member.path.name
    return new + name[len(old) :] if name.startswith(old) else name


def _needed(member: Member, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the names that stand in a companion and must follow."""
    limit = LIMITS.get(member.role, 0)
    if not pairs or member.entry.kind != "file" or member.size > limit:
        return ()
    file = InputFile(member.path)
    try:
        data = file.read(0, file.size)
    finally:
        file.close()
    return pairs if reworded(data, member.role, pairs) != data else ()


def step_of_member(
    member: Member,
    action: Action,
    destination: Path | None,
    pairs: tuple[tuple[str, str], ...] = (),
) -> Step:
    """Return what happens to a member, and why.

    Raises:
        UsageError: a link to a folder is to be copied.
        Incomplete: it leads nowhere.
    """
    named = member.role in {"model", "index", "shard", "folder"}
    why = "shared" if member.shared else "named" if named else "belongs"
    entry, size = member.entry, member.size
    if action == "copy" and entry.kind == "link":  # what is copied is the file that it leads to
        entry, size = _led_to(member.path)
    return Step(
        action=action, role=member.role, source=member.path, destination=destination,
        size=size, why=why, entry=entry, tree=member.tree, replace=pairs,
    )  # fmt: skip


def _led_to(link: Path) -> tuple[Entry, int]:
    entry = look(link, follow=True)
    if entry is None:
        raise Incomplete("disk.missing", path=link.resolve())
    if entry.kind != "file":
        raise UsageError("filing.link_to_folder", path=link, target=link.resolve())
    return entry, entry.state.size
