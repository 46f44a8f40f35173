"""Models merged by a recipe: `merge`, and `merge_together` for many outputs of the same inputs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from kanna.api.making import folder_for
from kanna.api.merge_sources import Report, Sources, check_pins, digests_of, with_digests
from kanna.api.reading import StrPath
from kanna.engine import Result, RunOptions, rehearse, rehearse_group, run, run_together
from kanna.errors import KannaError
from kanna.merging.recipe import Recipe
from kanna.merging.recipe_check import check
from kanna.model import ModelFile
from kanna.ops.merge import MergePlan
from kanna.ops.merge import merge as plan_merge
from kanna.ops.merge_inputs import Opened
from kanna.ops.merge_metadata import signed
from kanna.ops.naming import container_of, is_folder, suggested_name
from kanna.plan import Plan, WriteContainer


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """A merge: planned, and carried out unless only the plan was asked for.

    `recipe` has the SHA-256 of every source that is known, `sources` are their headers and
    identities by name. `memory` is the most bytes of buffers that it takes. `result` is None for a
    dry run; of several outputs made together, one that failed has its `error`.
    """

    recipe: Recipe
    sources: Mapping[str, Opened]
    planned: MergePlan
    destination: Path
    memory: int
    result: Result | None = None
    error: KannaError | None = None


def merge(
    recipe: Recipe,
    destination: StrPath,
    *,
    found: Mapping[str, StrPath] | None = None,
    device: str = "cpu",
    hash_inputs: bool = True,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    hash_progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> Merging:
    """Make the model that `recipe` describes.

    `destination` is a file, whose suffix chooses the container, or a folder for a suggested name.
    A source is where `found` says, by its name in the recipe, else at its path; `find_sources`
    looks for those that are elsewhere. The recipe, with the SHA-256 of every source, becomes part
    of the output; without `hash_inputs` only with those that are known already, and the output's
    data is not hashed.

    Raises:
        KannaError: whatever is wrong with the recipe, its sources or the destination.
    """
    with ExitStack() as stack:
        files = Sources(stack, found)
        job = _prepared(recipe, files, destination, device, digest=hash_inputs)
        new = is_folder(destination)
        memory = rehearse(job.plan, job.target, options=run_options, folder_will_be_made=new)
        if not dry_run and hash_inputs:
            (job,) = _hashed([job], run_options, hash_progress, cancel)
        job, made = job.signed(), None
        if not dry_run:
            with folder_for(job.target.parent, wanted=new):
                made = run(job.plan, job.target, options=run_options, progress=progress,
                           cancel=cancel, prove=job.prove)  # fmt: skip
        return job.merging(made.memory if made else memory, made)


def merge_together(
    recipes: Mapping[Path, Recipe],
    *,
    found: Mapping[str, StrPath] | None = None,
    device: str = "cpu",
    hash_inputs: bool = True,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    hash_progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Merging, ...]:
    """Make the model of every recipe in one pass over all of their sources, in the memory of one.

    `recipes` are by destination, each a file; the rest is as for `merge`. An output that fails
    takes no other along: its `Merging` says why.

    Raises:
        KannaError: whatever is wrong with a recipe, the sources or the destinations.
    """
    with ExitStack() as stack:
        files = Sources(stack, found)
        jobs = [
            _prepared(recipe, files, path, device, digest=hash_inputs)
            for path, recipe in recipes.items()
        ]
        memory = rehearse_group({job.target: job.plan for job in jobs}, options=run_options)
        if not dry_run and hash_inputs:
            jobs = _hashed(jobs, run_options, hash_progress, cancel)
        by_path = {job.target: job.signed() for job in jobs}
        made: Mapping[Path, Result | KannaError] = {}
        if not dry_run:
            made = run_together(
                {path: job.plan for path, job in by_path.items()}, options=run_options,
                progress=progress, cancel=cancel,
                prove=lambda path, written: by_path[path].prove(written),
            )  # fmt: skip
        return tuple(job.merging(memory, made.get(path)) for path, job in by_path.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One output on its way: its recipe, the open files, the plan, the file to write."""

    recipe: Recipe
    sources: Mapping[str, Opened]
    planned: MergePlan
    target: Path

    @property
    def plan(self) -> Plan:
        return self.planned.plan

    def signed(self) -> _Job:
        """Return the job with all that is known of its sources in the recipe, and in the output."""
        sources = {
            name: replace(source, sha256=self.sources[name].sha256 or source.sha256)
            for name, source in self.recipe.sources.items()
        }
        recipe = replace(self.recipe, sources=sources)
        plan = signed(self.planned, recipe, self.sources, title=self.target.stem)
        return replace(self, recipe=recipe, planned=replace(self.planned, plan=plan))

    def prove(self, written: ModelFile) -> None:
        """Hold the output to the VAE that was put in.

        Raises:
            NumericError: it is another one.
        """
        if self.planned.baked is not None:
            self.planned.baked.prove(written)

    def merging(self, memory: int, made: Result | KannaError | None) -> Merging:
        """Return what is told of the job; `made` is what became of it, None of a dry run."""
        return Merging(
            recipe=self.recipe, sources=self.sources, planned=self.planned,
            destination=self.target, memory=memory,
            result=made if isinstance(made, Result) else None,
            error=made if isinstance(made, KannaError) else None,
        )  # fmt: skip


def _prepared(
    recipe: Recipe, files: Sources, destination: StrPath, device: str, *, digest: bool
) -> _Job:
    check(recipe)
    asked: WriteContainer | None = recipe.output.container  # type: ignore[assignment]
    container = container_of(destination, asked)
    opened = files.open(recipe.sources)
    planned = plan_merge(recipe, opened, container=container, device=device, digest=digest)
    target = _target(destination, planned, opened)
    return _Job(recipe=recipe, sources=opened, planned=planned, target=target)


def _target(destination: StrPath, planned: MergePlan, opened: Mapping[str, Opened]) -> Path:
    """Return the file to write; in a folder it is called after the models and the methods."""
    if not is_folder(destination):
        return Path(destination)
    lead, *others = (opened[name].model.path for name in planned.parts.models)
    words = [*(suggested_name(path, (), "") for path in others[:2]), *planned.tags]
    return Path(destination) / suggested_name(lead, words, f".{planned.plan.container}")


def _hashed(
    jobs: Sequence[_Job],
    options: RunOptions | None,
    progress: Report | None,
    cancel: threading.Event | None,
) -> list[_Job]:
    """Return the jobs with the hashes of all their sources, each of which is read once."""
    models = [opened for job in jobs for opened in job.sources.values()]
    known = digests_of(models, options, progress, cancel)
    done = []
    for job in jobs:
        sources = {name: with_digests(one, known) for name, one in job.sources.items()}
        check_pins(job.recipe.sources, sources)
        done.append(replace(job, sources=sources))
    return done
