"""Many outputs of one recipe: `sweep` makes one for each point of its axes, some at a time.

What is there already and was made by the very same recipe is left alone, so that a sweep that was
broken off goes on where it stopped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kanna.api.hashing import HashOptions, hash_files
from kanna.api.merge_sources import Report, places_of
from kanna.api.merging import Merging, merge_together
from kanna.engine import RunOptions
from kanna.errors import Interrupted, KannaError, OutputExists, UsageError
from kanna.formats import open_model
from kanna.merging.axes import Point, names, points
from kanna.merging.provenance import RECIPE, Origin, portable
from kanna.merging.recipe import Recipe
from kanna.merging.recipe_check import check
from kanna.merging.recipe_toml import write
from kanna.ops.naming import is_folder

TOGETHER: Final = 8
_DIGEST: Final = "modelspec.hash_sha256"
State: TypeAlias = Literal["made", "planned", "there", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What became of one output: ``made``, ``planned``, ``there`` from before, or ``failed``.

    `numbers` are its place on the axes; `digest` is the SHA-256 of its tensor data, where known.
    """

    path: Path
    numbers: Mapping[str, float]
    state: State
    digest: str | None = None
    merging: Merging | None = None
    error: KannaError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions:
    """How to sweep: so many outputs in one pass over the sources, where, and in which manner."""

    together: int = TOGETHER
    device: str = "cpu"
    hash_inputs: bool = True
    dry_run: bool = False
    run_options: RunOptions = field(default_factory=RunOptions)


def sweep(
    recipe: Recipe,
    output: Path,
    found: Mapping[str, Path] | None = None,
    options: SweepOptions | None = None,
    *,
    progress: Report | None = None,
    hash_progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Swept, ...]:
    """Make an output for each point of the axes of `recipe`; `found` is as for `kanna.api.merge`.

    `output` is a file whose name may hold placeholders, see `kanna.merging.axes.names`. An output
    that fails takes no other along; what is there and is another file is one that fails, unless the
    run options have ``force``.

    Raises:
        KannaError: whatever concerns all outputs: the recipe, a source, the place for them.
    """
    options = options or SweepOptions()
    check(recipe)
    found = places_of(recipe.sources, found or {})
    wanted = points(recipe)
    targets = dict(zip(names(wanted, output), wanted, strict=True))
    done = _there(targets, found, options, hash_progress)
    todo = {path: point for path, point in targets.items() if path not in done}
    for number, group in enumerate(_groups(todo, options.together)):
        try:
            made = merge_together(
                {path: point.recipe for path, point in group.items()}, found=found,
                device=options.device, hash_inputs=options.hash_inputs, dry_run=options.dry_run,
                run_options=options.run_options, progress=progress, hash_progress=hash_progress,
                cancel=cancel,
            )  # fmt: skip
        except Interrupted:
            raise
        except KannaError as error:
            if not number:  # nothing is made yet: it concerns all
                raise
            done |= {path: _failed(path, point, error) for path, point in group.items()}
            continue
        done |= {one.destination: _outcome(one, group[one.destination]) for one in made}
    return tuple(done[path] for path in targets)


def _groups(todo: Mapping[Path, Point], size: int) -> Iterator[dict[Path, Point]]:
    paths = list(todo)
    for start in range(0, len(paths), max(size, 1)):
        yield {path: todo[path] for path in paths[start : start + max(size, 1)]}


def _outcome(made: Merging, point: Point) -> Swept:
    if made.error is not None:
        return _failed(made.destination, point, made.error)
    return Swept(
        path=made.destination, numbers=point.numbers, merging=made,
        state="made" if made.result else "planned",
        digest=made.result.digest if made.result else None,
    )  # fmt: skip


def _failed(path: Path, point: Point, error: KannaError) -> Swept:
    return Swept(path=path, numbers=point.numbers, state="failed", error=error)


def _there(
    targets: Mapping[Path, Point],
    found: Mapping[str, Path],
    options: SweepOptions,
    progress: Report | None,
) -> dict[Path, Swept]:
    """Return the outputs that are there: finished ones, and other files, which are refused."""
    existing = [path for path in targets if os.path.lexists(path)]
    if options.run_options.force or not existing:
        return {}
    origins = _origins(found, options, progress)
    return {path: _state_of(path, targets[path], origins) for path in existing}


def _state_of(path: Path, point: Point, origins: Mapping[str, Origin]) -> Swept:
    fields: Mapping[str, str] = {}
    with suppress(KannaError), open_model(path) as model:
        fields = model.metadata
    known = all(origin.sha256 for origin in origins.values())
    if known and fields.get(RECIPE) == write(portable(point.recipe, origins)):
        digest = fields.get(_DIGEST, "").removeprefix("0x") or None
        return Swept(path=path, numbers=point.numbers, state="there", digest=digest)
    return _failed(path, point, OutputExists("engine.exists", path=path))


def _origins(
    found: Mapping[str, Path], options: SweepOptions, progress: Report | None
) -> dict[str, Origin]:
    """Return the sources with their digests, without which no recipe can be told from another."""
    files = [path for path in found.values() if path.is_file()] if options.hash_inputs else []
    wanted = HashOptions(threads=options.run_options.threads)
    digests = {
        one.path: one.digests.sha256
        for one in hash_files(list(dict.fromkeys(files)), wanted, progress=progress)
        if one.digests is not None
    }
    return {name: Origin(name=path.name, sha256=digests.get(path)) for name, path in found.items()}


def sweep_target(output: str, stem: str, container: str | None) -> Path:
    """Return the file whose name the outputs of a sweep share: in a folder it is called `stem`.

    Raises:
        UsageError: `output` is empty.
    """
    if not output:
        raise UsageError("convert.no_name")
    if is_folder(output):
        return Path(output) / f"{stem}.{container or 'safetensors'}"
    return Path(output)
