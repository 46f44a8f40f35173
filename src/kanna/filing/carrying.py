"""One set of files, carried so that at any moment the old set is complete, or the new one.

::

    begun       written to the journal before anything is touched
    staged      what must be copied is: written, synced, read again, compared by digest
    published   everything gets its new name, none of which may be taken; sources are still there
    complete    written to the journal: from here on a kill cannot bring the old set back
    removed     the sources go, each only if it is what it was
    done

On one disk a file has both names until the set is complete. Only a folder, and a file where the
file system knows no second names, must be renamed; that comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kanna.disk import make_folder
from kanna.disk.moving import (
    CannotLinkError,
    OtherDiskError,
    give_second_name,
    is_one_folder,
    is_other_case,
    link_target,
    look,
    make_link,
    rename,
)
from kanna.engine.job import failures_told
from kanna.engine.meter import Meter
from kanna.engine.staging import Staging
from kanna.errors import FormatError, Interrupted, OutputExists, UsageError
from kanna.filing.checking import copies, unchanged
from kanna.filing.copying import content_of, fill_copy, fill_folder, fill_text, part_folder
from kanna.filing.ending import finish, take_back
from kanna.filing.journal import Journal, Progressed
from kanna.filing.values import FileSet, Step
from kanna.hashing.digests import Digests
from kanna.model import Note


@dataclass(slots=True, kw_only=True)
class Carried:
    """What became of a set: the digests of what was copied, and what a person should know."""

    digests: dict[Path, Digests] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def carry(journal: Journal, number: int, files: FileSet, meter: Meter) -> Carried:
    """Carry out the set of this `number` in the plan of `journal`.

    Raises:
        OutputExists: a destination came to be there.
        FormatError: a source changed.
        Interrupted: Ctrl-C. If its set was complete by then, it is at its new place whole.
        KannaError: the disk is full or broken, or it is not allowed. Unless it says otherwise,
            all files are where they were.
    """
    work = _Work(journal=journal, number=number, steps=files.steps, meter=meter)
    with failures_told(files.path, 0, lambda: False):
        work.begin()
        try:
            work.make()
            journal.note(number, "complete")
        except BaseException:
            take_back(files.steps, work.progress, journal.token, work.tried)
            journal.note(number, "taken_back")
            raise
    return Carried(digests=work.digests, notes=_ended(work, files))


def _ended(work: _Work, files: FileSet) -> tuple[Note, ...]:
    """Remove the sources, and do it to the end even if the user stops it.

    Raises:
        Interrupted: it was stopped, and is done.
    """
    try:
        notes = finish(files.steps, work.progress)
    except KeyboardInterrupt:
        finish(files.steps, work.progress)
        _note_done(work)
        raise Interrupted("filing.interrupted_after", path=files.path) from None
    _note_done(work)
    return notes


def _note_done(work: _Work) -> None:
    """Say in the journal that all is done; if that fails, the next run finds it so and says it."""
    with suppress(OSError):
        work.journal.note(work.number, "done")


@dataclass(slots=True, kw_only=True)
class _Work:
    """The making of all destinations of a set."""

    journal: Journal
    number: int
    steps: Sequence[Step]
    meter: Meter
    progress: Progressed = field(default_factory=Progressed)
    digests: dict[Path, Digests] = field(default_factory=dict)
    stagings: dict[int, Staging] = field(default_factory=dict)
    # the steps whose destinations are ours: what is in the way of others is somebody else's
    tried: set[int] = field(default_factory=set)

    def begin(self) -> None:
        """Say in the journal what is begun, and which folders are made for it."""
        self.progress.folders = tuple(_missing_folders(self.steps))
        self.journal.note_begun(self.number, self.progress.folders)

    def make(self) -> None:
        """Make every destination; afterwards both sets are there, but for what was renamed.

        Raises:
            KannaError: as `carry`.
            OSError: the disk fails.
        """
        self._check()
        self._check_aliases()
        for folder in {step.destination.parent for step in self.steps if step.destination}:
            make_folder(folder)
        if any(step.role == "trashinfo" for step in self.steps):
            for folder in self.progress.folders:
                folder.chmod(0o700)  # so that nobody else looks into a trash
        made = [n for n, step in enumerate(self.steps) if step.makes]
        with ExitStack() as stack:
            for n in made:
                step = self.steps[n]
                if step.text is not None or step.replace or copies(step):
                    self._stage(n, stack)
            self._check()
            left = [n for n in made if not self._publish(n, stack)]
            for n in left:
                self._rename(n)

    def _check(self) -> None:
        for step in self.steps:
            if step.action != "leave" and not unchanged(step):
                raise FormatError("filing.changed", path=step.source)

    def _check_aliases(self) -> None:
        """Refuse to remove a source that only seems to stand at the destination, too."""
        pairs = {
            (step.source.parent, step.destination.parent): step.source
            for step in self.steps
            if step.takes and step.there and step.source and step.destination
            and step.source.name.casefold() == step.destination.name.casefold()
        }  # fmt: skip
        for (folder, place), source in pairs.items():
            if folder != place and is_one_folder(place, folder):
                raise UsageError("filing.same_place", path=source, folder=place)

    def _stage(self, n: int, stack: ExitStack) -> None:
        """Copy a step's file to a temporary name beside its destination, and verify it."""
        step = self.steps[n]
        assert step.destination is not None
        if step.entry is not None and step.entry.kind == "link":
            return
        if step.entry is not None and step.entry.kind == "folder":
            self._stage_folder(n, step)
            return
        text = step.text is not None or bool(step.replace)
        size = len(content_of(step)) if text else step.size
        staging = Staging(step.destination, size, force=False)
        file = stack.enter_context(staging)
        if text:
            digests = fill_text(step, file)
        else:
            assert step.source is not None
            assert step.entry is not None
            digests = fill_copy(
                step.source, step.entry.state, file, step.destination, self.meter.tick
            )
            self.meter.stage(2 * size)
        self.digests[step.destination] = digests
        self.stagings[n] = staging
        self._note_staged(n, file.path, digests.sha256)

    def _stage_folder(self, n: int, step: Step) -> None:
        part = fill_folder(step, self.journal.token, self.meter.tick)
        self.meter.stage(2 * step.size)
        self._note_staged(n, part, None)

    def _note_staged(self, n: int, path: Path, sha256: str | None) -> None:
        entry = look(path)
        if entry is None:
            raise FormatError("filing.changed", path=path)
        self.progress.staged[n] = entry.state
        if sha256:
            self.progress.digests[n] = sha256
        self.journal.note_staged(self.number, n, entry.state, sha256)

    def _publish(self, n: int, stack: ExitStack) -> bool:
        """Give a step's file its new name; return whether it could be done without renaming."""
        step = self.steps[n]
        assert step.destination is not None
        self.tried.add(n)
        try:
            if n in self.stagings:
                self.stagings[n].publish()
            elif n in self.progress.staged:
                rename(part_folder(step.destination, self.journal.token), step.destination)
            else:
                return self._name(step)
        except OtherDiskError:
            self._stage(n, stack)
            return self._publish(n, stack)
        except (FileExistsError, OutputExists) as error:
            self.tried.discard(n)
            raise _taken(step) from error
        return True

    def _name(self, step: Step) -> bool:
        assert step.source is not None
        assert step.destination is not None
        assert step.entry is not None
        if step.entry.kind == "link":
            make_link(link_target(step.source, step.destination), step.destination)
            return True
        if step.entry.kind == "folder":
            return False
        try:
            give_second_name(step.source, step.destination)
        except CannotLinkError:
            return False
        except FileExistsError:
            if is_other_case(step.source, step.destination):
                return False
            raise
        return True

    def _rename(self, n: int) -> None:
        step = self.steps[n]
        assert step.source is not None
        assert step.destination is not None
        try:
            rename(step.source, step.destination)
        except OtherDiskError:
            with ExitStack() as stack:
                self._stage(n, stack)
                self._publish(n, stack)
        except FileExistsError as error:
            self.tried.discard(n)
            raise _taken(step) from error


def _taken(step: Step) -> OutputExists:
    return OutputExists("filing.exists", path=step.destination, source=step.source)


def _missing_folders(steps: Sequence[Step]) -> Iterator[Path]:
    """Yield the folders that there are not yet, the outer ones first."""
    wanted = {
        folder
        for step in steps
        if step.destination is not None
        for folder in (step.destination.parent, *step.destination.parent.parents)
    }
    yield from sorted((f for f in wanted if not f.exists()), key=lambda f: len(f.parts))
