"""Models taken apart and put together: `split`, `split_to_diffusers` and `join`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from kanna.api.reading import StrPath, identified
from kanna.disk import as_path, is_remote
from kanna.engine import Progress, Result, RunOptions, rehearse, rehearse_group, run, run_group
from kanna.errors import UsageError
from kanna.families.places import UIS, folders
from kanna.formats import open_model
from kanna.identity import Identity
from kanna.model import ModelFile, Note
from kanna.ops.diffusers_folder import FolderOptions, PlannedFolder, check_place, to_folder
from kanna.ops.join import JoinOptions, JoinPlan
from kanna.ops.join import join as plan_join
from kanna.ops.naming import check_protected, container_of, is_folder, kept_stem
from kanna.ops.split import PartPlan, SplitOptions, programs
from kanna.ops.split import split as plan_split
from kanna.plan import Plan

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """A model taken apart: planned, and carried out unless only the plan was asked for.

    `source` is the header of the input and `before` its identity. `files` are all files to be made,
    by destination; of `parts`, each holds a part. `kept_in` says in which folder a program keeps
    the parts of a role. `pipeline` is the diffusers folder that is made, or None. `results` are
    those of the files with weights; there are none after a dry run.
    """

    source: ModelFile
    before: Identity
    files: Mapping[Path, Plan | bytes]
    parts: Mapping[Path, PartPlan] = field(default_factory=dict)
    kept_in: Mapping[str, str] = field(default_factory=dict)
    pipeline: PlannedFolder | None = None
    notes: tuple[Note, ...]
    memory: int
    results: Mapping[Path, Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Parts put together: planned, and carried out unless only the plan was asked for.

    `result` is None for a dry run.
    """

    planned: JoinPlan
    destination: Path
    memory: int
    result: Result | None


def part_programs(verb: str) -> tuple[str, ...]:
    """Return the programs that `split` or `join` can make files for."""
    return programs() if verb == "split" else tuple(word for word in programs() if word in UIS)


def split(
    path: StrPath,
    folder: StrPath | None,
    options: SplitOptions,
    *,
    protected: Iterable[StrPath] = (),
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> Splitting:
    """Write the parts of the model at `path` into `folder`, each as a file of its own.

    They are called as the model, with the name of the part behind it. None means the folder of the
    input. `protected` names files that no part must replace even with ``force``. All files appear,
    or none does.

    Raises:
        KannaError: whatever is wrong with the input, the request or the destination.
    """
    source = as_path(path)
    with open_model(path) as model:
        identity = identified(model, compare_ema=False)
        planned = plan_split(model, identity, options)
        place = _place(source, folder)
        parts = {place / _name(source, part): part for part in planned.parts}
        files: dict[Path, Plan | bytes] = {target: part.plan for target, part in parts.items()}
        _check(files, protected)
        memory, results = _make(files, run_options, progress, cancel, dry_run=dry_run)
        return Splitting(
            source=model, before=identity, files=files, parts=parts, memory=memory,
            results=results, kept_in=_kept_in(planned.parts, options.program),
            notes=(*planned.notes, *_told(planned.parts)),
        )  # fmt: skip


def split_to_diffusers(
    path: StrPath,
    folder: StrPath | None,
    options: FolderOptions,
    *,
    protected: Iterable[StrPath] = (),
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> Splitting:
    """Write the model at `path` as a diffusers folder: configs, weights and their index.

    None means a folder beside the input, called as it is. All files appear, or none does.

    Raises:
        KannaError: whatever is wrong with the input, the request or the destination.
    """
    source = as_path(path)
    with open_model(path) as model:
        identity = identified(model, compare_ema=False)
        planned = to_folder(model, identity, options)
        place = _place(source, None) / kept_stem(source) if folder is None else folder
        files = {_place(source, place) / at: made for at, made in planned.files.items()}
        check_place(_place(source, place), planned.files)
        _check(files, protected)
        memory, results = _make(files, run_options, progress, cancel, dry_run=dry_run)
        return Splitting(source=model, before=identity, files=files, pipeline=planned,
                         notes=planned.notes, memory=memory, results=results)  # fmt: skip


def join(
    paths: Sequence[StrPath],
    destination: StrPath,
    options: JoinOptions,
    *,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> Joining:
    """Put the parts at `paths` together to one file, each where programs look for it.

    A part is known by what is in it, never by its name. A checkpoint among them lends the parts
    that the others do not bring; so one of its parts is replaced.

    Raises:
        KannaError: whatever is wrong with the inputs, the request or the destination.
    """
    if is_folder(destination):
        raise UsageError("join.output_folder", path=destination)
    container = container_of(destination, options.container, "join.suffix_unknown")
    options = replace(options, container=container)
    target = Path(destination)
    with ExitStack() as stack:
        models = [stack.enter_context(open_model(path)) for path in paths]
        inputs = [(model, identified(model, compare_ema=False)) for model in models]
        planned = plan_join(inputs, options)
        result = None
        if dry_run:
            memory = rehearse(planned.plan, target, options=run_options)
        else:
            result = run(
                planned.plan, target, options=run_options, progress=progress, cancel=cancel
            )
            memory = result.memory
        return Joining(planned=planned, destination=target, memory=memory, result=result)


def _place(source: Path, folder: StrPath | None) -> Path:
    """Return the folder for what is made of `source`."""
    if folder is None:
        return Path() if is_remote(source) else source.parent
    if os.path.lexists(folder) and not os.path.isdir(folder):  # noqa: PTH112 - a name too long
        raise UsageError("split.not_a_folder", path=folder)
    return Path(folder)


def _name(source: Path, part: PartPlan) -> str:
    return f"{kept_stem(source)}.{part.name}.{part.plan.container}"


def _check(files: Iterable[Path], protected: Iterable[StrPath]) -> None:
    others = list(protected)
    for target in files:
        check_protected(target, others)


def _make(
    files: Mapping[Path, Plan | bytes],
    run_options: RunOptions | None,
    progress: Report | None,
    cancel: threading.Event | None,
    *,
    dry_run: bool,
) -> tuple[int, dict[Path, Result]]:
    """Return the most memory that making `files` takes, and the results unless it is a dry run."""
    memory = rehearse_group(files, options=run_options)
    if dry_run:
        return memory, {}
    return memory, run_group(files, options=run_options, progress=progress, cancel=cancel)


def _kept_in(parts: Iterable[PartPlan], program: str) -> dict[str, str]:
    """Return the folder of a program for each role, as far as it has one."""
    roles = {part.role for part in parts}
    found = {role: folders("diffusion_model" if role == "ema" else role) for role in roles}
    return {role: places[program] for role, places in found.items() if program in places}


def _told(parts: Iterable[PartPlan]) -> list[Note]:
    """Return the notes on all parts, each once."""
    notes: list[Note] = []
    for part in parts:
        notes += [note for note in part.plan.notes if note not in notes]
    return notes
