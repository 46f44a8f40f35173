"""run_group(): several files as one piece of work: all of them verified, or none at all.

Everything is written and verified under temporary names; only then the files get their own, in the
order in which they were given. What had to make way (`RunOptions.force`) is kept beside until the
last one has its name, and put back if one cannot have it.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from kanna.disk import InputFile, free_bytes, make_folder
from kanna.disk.writing import OutputFile
from kanna.engine.job import check_inputs, failures_told, fill
from kanna.engine.meter import Meter
from kanna.engine.options import Progress, Result, RunOptions
from kanna.engine.prepare import Job, prepare
from kanna.engine.staging import Staging, check_destination, existing_folder
from kanna.errors import KannaError, UsageError
from kanna.model import ModelFile
from kanna.plan import Plan

_BACKUP: Final = ".kanna-old-"
_LONGEST_STEM: Final = 200  # bytes, as of the temporary file

Proof = Callable[[Path, ModelFile], None]


def run_group(
    files: Mapping[Path, Plan | bytes],
    *,
    options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
    prove: Proof | None = None,
) -> dict[Path, Result]:
    """Make all `files`, each of a plan or of given bytes, and publish them together.

    They are published in their order here: the one that names the others comes last. Missing
    folders are made, and taken away again on failure. `prove` is called with each re-opened output
    of a plan. Returns the results of the plans, by destination.

    Raises:
        UsageError: two destinations are one file, or one is an input, a link or no file.
        KannaError: as `run`. Whatever is raised, every destination is as it was.
    """
    group = checked(files, options or RunOptions())
    meter = Meter(sum(job.traffic for job in group.jobs.values()), progress, cancel)
    with failures_told(group.place, group.memory, lambda: group.published), made_folders(files):
        return _make(group, meter, prove)


def rehearse_group(files: Mapping[Path, Plan | bytes], *, options: RunOptions | None = None) -> int:
    """Check all that `run_group` checks before it reads a weight; write nothing.

    Returns the most bytes of buffers that the run will take.

    Raises:
        KannaError: what `run_group` would raise; see there.
    """
    return checked(files, options or RunOptions()).memory


@dataclass(slots=True)
class Group:
    """All files to be made, each plan with what follows from it."""

    files: Mapping[Path, Plan | bytes]
    jobs: Mapping[Path, Job]
    force: bool
    published: bool = False

    @property
    def place(self) -> Path:
        """The path to speak of where something happens to all of them."""
        return next(iter(self.files), Path())

    @property
    def memory(self) -> int:
        """The bytes of all buffers at the worst moment; plans run one after the other."""
        return max((job.memory for job in self.jobs.values()), default=0)

    @property
    def inputs(self) -> Sequence[InputFile]:
        """All open inputs, each once."""
        return list({id(file): file for job in self.jobs.values() for file in job.files}.values())

    def size(self, path: Path) -> int:
        """Return how many bytes the file at `path` will have."""
        made = self.files[path]
        return len(made) if isinstance(made, bytes) else self.jobs[path].layout.size


def checked(files: Mapping[Path, Plan | bytes], options: RunOptions) -> Group:
    """Check all that can be checked before a weight is read.

    Raises:
        KannaError: as `run_group`.
    """
    jobs = {path: prepare(plan, options) for path, plan in files.items() if isinstance(plan, Plan)}
    group = Group(files, jobs, options.force)
    _check_distinct(files)
    with failures_told(group.place, group.memory, lambda: False):
        for path in files:
            folder = existing_folder(path.parent)
            size, inputs = group.size(path), group.inputs
            check_destination(path, folder, size, inputs, force=options.force)
        _check_room(group)
    return group


def _check_distinct(files: Mapping[Path, Plan | bytes]) -> None:
    """Refuse two destinations that are one file, if only on systems that know no capitals."""
    seen: dict[str, Path] = {}
    for path in files:
        key = str(path.resolve()).casefold()
        if key in seen:
            raise UsageError("engine.twice", path=path, other=seen[key])
        seen[key] = path


def _check_room(group: Group) -> None:
    """Refuse the group where a disk has room for each file, but not for all of them."""
    disks: dict[int, list[Path]] = defaultdict(list)
    for path in group.files:
        disks[existing_folder(path.parent).stat().st_dev].append(path)
    for paths in disks.values():
        folder = existing_folder(paths[0].parent)
        size, free = sum(map(group.size, paths)), free_bytes(folder)
        if free < size:
            raise KannaError("engine.no_room", path=folder, size=size, free=free)


def _make(group: Group, meter: Meter, prove: Proof | None) -> dict[Path, Result]:
    """Write and verify every file, then publish them."""
    with ExitStack() as stack:
        stagings = {p: Staging(p, group.size(p), force=group.force) for p in group.files}
        opened = {}
        for path, staging in stagings.items():
            with blamed(path, group):
                opened[path] = stack.enter_context(staging)
        results = {}
        for path, file in opened.items():
            with blamed(path, group):
                if (job := group.jobs.get(path)) is not None:
                    results[path] = _fill(job, path, file, meter, prove)
                else:
                    _fill_with(group.files[path], file)
        check_inputs(group.inputs)
        _publish(group, stagings)
    return results


def blamed(path: Path, group: Group) -> AbstractContextManager[None]:
    """Tell failures with the file at hand, not with the first of the group."""
    return failures_told(path, group.memory, lambda: group.published)


def _fill(job: Job, path: Path, file: OutputFile, meter: Meter, prove: Proof | None) -> Result:
    own = None if prove is None else lambda model: prove(path, model)
    result = fill(job, path, file, meter, own)
    if job.full:
        meter.stage(job.plan.data_bytes)
    return result


def _fill_with(data: Plan | bytes, file: OutputFile) -> None:
    if isinstance(data, bytes):
        file.write(memoryview(data), 0)
        file.sync()


def _publish(group: Group, stagings: Mapping[Path, Staging]) -> None:
    """Give every file its name; where one cannot have it, take back those of the others."""
    aside: dict[Path, Path | None] = {}
    named: set[Path] = set()
    try:
        for path, staging in stagings.items():
            aside[path] = _set_aside(path) if group.force else None
            staging.publish()
            named.add(path)
    except BaseException:
        for path, old in reversed(aside.items()):
            _put_back(path, old, ours=path in named or stagings[path].is_at_destination())
        raise
    group.published = True
    for path in filter(None, aside.values()):
        with suppress(OSError):
            path.unlink()


def _set_aside(path: Path) -> Path | None:
    """Give what is at `path` a second name, under which it outlives its replacement."""
    if not os.path.lexists(path):
        return None
    stem = f".{os.fsencode(path.name)[:_LONGEST_STEM].decode(errors='ignore')}{_BACKUP}"
    ours = re.compile(rf"{re.escape(stem)}[0-9a-f]{{12}}")
    for other in path.parent.iterdir():
        if ours.fullmatch(other.name):  # of a run that was killed here
            other.unlink()
    old = path.with_name(f"{stem}{os.urandom(6).hex()}")
    try:
        os.link(path, old)
    except OSError:  # no hard links there: it is away until it is replaced
        path.rename(old)
    return old


def _put_back(path: Path, old: Path | None, *, ours: bool) -> None:
    with suppress(OSError):
        if old is not None:
            old.replace(path)
        elif ours:
            path.unlink()


@contextmanager
def made_folders(files: Mapping[Path, object]) -> Iterator[None]:
    """Make the folders of all files; take those that were missing away again on failure."""
    wanted = {folder for path in files for folder in (path.parent, *path.parent.parents)}
    missing = sorted((f for f in wanted if not f.exists()), key=lambda f: len(f.parts))
    try:
        for path in files:
            make_folder(path.parent)
        yield
    except BaseException:
        for folder in reversed(missing):
            with suppress(OSError):
                folder.rmdir()
        raise
