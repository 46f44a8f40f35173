"""Models moved, copied, renamed, deleted and trashed with their companions, and taken back."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kanna.api.library_places import Places, place_of_role
from kanna.api.reading import StrPath
from kanna.catalog.following import gone, moved
from kanna.catalog.naming import find_file
from kanna.catalog.place import library_path
from kanna.catalog.store import Library, path_of
from kanna.disk import Fingerprint, InputFile, absolute, is_remote
from kanna.engine.meter import Meter
from kanna.engine.options import Progress
from kanna.errors import Incompatible, Incomplete, KannaError, UsageError
from kanna.filing.checking import Checked
from kanna.filing.executing import Changes, Executed, Outcome, Settled, execute, settle
from kanna.filing.journal import FOLDER, filings, find_filing
from kanna.filing.planning import FilingRequest
from kanna.filing.planning import plan_filing as plan
from kanna.filing.undoing import UNDOABLE, last_undoable, plan_undo, undone
from kanna.filing.values import FileSet, FilingPlan, OnConflict, Step
from kanna.hashing.cache import HashCache
from kanna.hashing.digests import Digests
from kanna.hashing.place import cache_path

__all__ = ["Executed", "FileSet", "FilingPlan", "Outcome", "Settled", "Step"]

FilingVerb = Literal["move", "copy", "rename", "delete", "trash"]
Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFiling:
    """A filing of the past: its number, when it was (seconds since 1970), what it did.

    `files` are the old and new paths of the models and companions, without those that were left.
    `state` is ``done``, ``undone``, ``failed`` (nothing changed) or ``open`` (still running, or
    killed).
    """

    number: int
    verb: str
    when: float
    state: Literal["done", "undone", "failed", "open"]
    undoable: bool
    files: tuple[tuple[Path, Path | None], ...]


def plan_filing(
    verb: FilingVerb,
    names: Sequence[StrPath],
    *,
    to: StrPath | None = None,
    stem: str | None = None,
    on_conflict: OnConflict = "refuse",
    without: Iterable[str] = (),
    library: StrPath | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> FilingPlan:
    """Return what a verb would do with these models; nothing is touched.

    A name is a path, or anything by which the library knows a file. `to` is a folder, or
    ``active`` or ``backup``: the same place below the roots of that role. `stem` is the new name
    of a rename, without suffix. `without` are roles of files that stay where they are. What cannot
    be done is told in the plan (`refused`).

    Raises:
        UsageError: the request makes no sense.
        Interrupted: `cancel` was set.
        KannaError: the library cannot be read.
    """
    place = _library(library)
    paths = [_path(name, place) for name in names]
    folder = None if to is None else _folder(to, place)
    request = FilingRequest(
        verb=verb, paths=paths, folder=folder, stem=stem, on_conflict=on_conflict,
        trash=place.parent / "trash", without=frozenset(without),
    )  # fmt: skip
    with HashCache(cache_path()) as cache:
        return plan(request, Checked(cache=cache, meter=Meter(0, progress, cancel)))


def plan_unfiling(
    number: int | None = None, *, library: StrPath | None = None, progress: Report | None = None
) -> FilingPlan:
    """Return what it takes to take back a filing, or the last one that can be.

    Raises:
        UsageError: there is none, it cannot be taken back, or was.
    """
    folder = _journals(_library(library))
    filing = last_undoable(folder) if number is None else find_filing(folder, number)
    with HashCache(cache_path()) as cache:
        return plan_undo(filing, folder, Checked(cache=cache, meter=Meter(0, progress, None)))


def carry_out_filing(
    planned: FilingPlan,
    *,
    library: StrPath | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> Executed:
    """Carry out a plan: journal first, copies verified, sources last; the library follows.

    Raises:
        KannaError: the first refusal of the plan, if it has any; or the journal cannot be written.
        Interrupted: Ctrl-C or `cancel`; the set at hand is at its old place, or whole at its new.
    """
    if planned.refused:
        raise planned.refused[0][1]
    place = _library(library)
    made = execute(planned, _journals(place), _follower(place), progress=progress, cancel=cancel)
    with HashCache(cache_path()) as cache:
        for step in (step for one in planned.todo for step in one.steps):
            if step.destination in made.digests:
                _keep(step, step.destination, made.digests[step.destination], cache)
    return made


def settle_filings(*, library: StrPath | None = None) -> list[Settled]:
    """Bring to an end what killed runs left: finished where it was complete, else taken back.

    Raises:
        KannaError: the disk fails.
    """
    place = _library(library)
    return settle(_journals(place), _follower(place))


def past_filings(*, library: StrPath | None = None) -> list[PastFiling]:
    """Return all filings, the last one first."""
    folder = _journals(_library(library))
    gone_back = undone(folder)
    return [
        PastFiling(
            number=one.number, verb=one.verb, when=one.when,
            state="undone" if one.number in gone_back else "done" if one.done
            else "failed" if one.ended else "open",
            undoable=bool(one.done) and one.verb in UNDOABLE and one.number not in gone_back,
            files=tuple(
                (step.source, step.destination)
                for steps in one.sets for step in steps
                if step.source is not None and step.action != "leave" and step.role != "trashinfo"
            ),
        )
        for one in filings(folder)
    ]  # fmt: skip


def _library(given: StrPath | None) -> Path:
    return library_path().absolute() if given is None else Path(given).absolute()


def _journals(library: Path) -> Path:
    return library.parent / FOLDER


def _path(name: StrPath, library: Path) -> Path:
    """Return the path that is meant: one that is there, or what the library knows by the name.

    Raises:
        Incompatible: it is a URL.
    """
    if is_remote(name):
        raise Incompatible("filing.remote", path=name)
    path = Path(name)
    if os.path.lexists(path) or not library.exists():  # for names that are too long, too
        return path
    try:
        with closing(Library(library, make=False)) as opened:
            return path_of(find_file(opened, str(name))["path"])
    except Incomplete:
        return path


def _folder(to: StrPath, library: Path) -> Places:
    if to not in {"active", "backup"}:
        folder = absolute(to)
        return lambda _: folder
    if not library.exists():
        raise UsageError("filing.no_roles", role=to)
    with closing(Library(library, make=False)) as opened:
        return place_of_role(opened, str(to))


def _follower(library: Path) -> Callable[[Changes], bool]:
    """Return what tells the library of changes; without a library there is nothing to tell."""

    def follow(changes: Changes) -> bool:
        if not library.exists():
            return True
        try:
            with closing(Library(library, make=False)) as opened:
                moved(opened, changes.moved)
                gone(opened, changes.gone)
        except KannaError:
            return False  # the next filing tells it, and a scan finds out by itself
        return True

    return follow


def _keep(step: Step, place: Path, digests: Digests, cache: HashCache) -> None:
    """Keep the digests of a file that was copied, and all that was known of its source."""
    try:
        with closing(InputFile(place)) as file:
            state = file.fingerprint
    except KannaError:
        return
    known = None if step.entry is None else cache.find(step.entry.state)
    if known is None or known.digests.sha256 != digests.sha256:
        cache.keep(place, state, digests)
        return
    cache.keep(place, state, known.digests if known.digests.complete else digests)
    _keep_parts(step, state, cache)


def _keep_parts(step: Step, state: Fingerprint, cache: HashCache) -> None:
    assert step.entry is not None
    if parts := cache.parts(step.entry.state):
        cache.keep_parts(state, parts)
