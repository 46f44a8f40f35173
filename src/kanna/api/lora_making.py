"""LoRAs that are made: out of two models, out of several LoRAs, at another rank."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from kanna.api.making import folder_for
from kanna.api.merge_sources import Report, open_source
from kanna.api.reading import StrPath
from kanna.disk import as_path
from kanna.engine import Result, RunOptions, rehearse, run
from kanna.errors import UsageError
from kanna.ops.lora_extract_options import ExtractOptions
from kanna.ops.lora_extract_report import ExtractReport
from kanna.ops.lora_merge import LoraMergeOptions, LoraMergeReport
from kanna.ops.lora_resize import ResizeOptions, ResizeReport
from kanna.ops.merge_inputs import Opened
from kanna.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraExtraction:
    """A LoRA of what a model has more than another, made unless only the plan was asked for.

    For a dry run `plan` has the highest ranks that the options allow, and `report` and `result` are
    None. `memory` is about how many bytes it takes: the largest layer, and the LoRA.
    """

    tuned: Path
    base: Path
    plan: Plan
    destination: Path
    memory: int
    report: ExtractReport | None = None
    result: Result | None = None


def lora_extract(
    tuned: StrPath,
    base: StrPath,
    destination: StrPath,
    options: ExtractOptions | None = None,
    *,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> LoraExtraction:
    """Make a LoRA that turns the model `base` into `tuned`, as well as its ranks allow.

    `destination` is a safetensors file, or a folder for a suggested name.

    Raises:
        KannaError: whatever is wrong with the models, the options or the destination.
    """
    from kanna.ops.lora_extract import extract, prepare

    with ExitStack() as stack:
        sides = [open_source(stack, path) for path in (tuned, base)]
        threads = (run_options or RunOptions()).thread_count()
        asked = replace(options or ExtractOptions(), threads=threads)
        job = prepare(sides[0], sides[1], asked)
        target, new = _target(as_path(tuned), destination, "lora")
        rehearse(job.most, target, options=run_options, folder_will_be_made=new)
        made = LoraExtraction(tuned=as_path(tuned), base=as_path(base), plan=job.most,
                              destination=target, memory=job.memory)  # fmt: skip
        if dry_run:
            return made
        done = extract(job, progress, cancel)
        result = _written(done.plan, target, run_options, progress, cancel, new=new)
        return replace(made, plan=done.plan, report=done.report, result=result)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraRemaking:
    """A LoRA made of one or several others, written unless only the plan was asked for.

    `loras` are the inputs with their weights. The factors are made in either case: how well they
    keep what they should is in `report`.
    """

    loras: tuple[tuple[Path, float], ...]
    plan: Plan
    destination: Path
    report: ResizeReport | LoraMergeReport
    result: Result | None = None


def lora_merge(
    loras: Sequence[tuple[StrPath, float]],
    destination: StrPath,
    options: LoraMergeOptions | None = None,
    *,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> LoraRemaking:
    """Make one LoRA of several, each with its weight, which may be less than nothing.

    Raises:
        KannaError: whatever is wrong with the LoRAs, the options or the destination.
    """
    from kanna.ops.lora_merge import merge_loras

    with ExitStack() as stack:
        opened = [(open_source(stack, path), weight) for path, weight in loras]
        target, new = _target(as_path(loras[0][0]), destination, "merged")
        _check_target(opened, target, run_options, new=new)
        made = merge_loras(opened, options or LoraMergeOptions(), progress, cancel)
        result = _end(made.plan, target, run_options, progress, cancel, new=new, dry_run=dry_run)
        return LoraRemaking(
            loras=tuple((as_path(path), weight) for path, weight in loras), plan=made.plan,
            destination=target, report=made.report, result=result,
        )  # fmt: skip


def lora_resize(
    lora: StrPath,
    destination: StrPath,
    options: ResizeOptions,
    *,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> LoraRemaking:
    """Make a LoRA of lower ranks, each module as good as its rank can be.

    Raises:
        KannaError: whatever is wrong with the LoRA, the options or the destination.
    """
    from kanna.ops.lora_resize import resize

    with ExitStack() as stack:
        opened = open_source(stack, lora)
        target, new = _target(as_path(lora), destination, "resized")
        _check_target([(opened, 1.0)], target, run_options, new=new)
        made = resize(opened, options, progress, cancel)
        result = _end(made.plan, target, run_options, progress, cancel, new=new, dry_run=dry_run)
        return LoraRemaking(loras=((as_path(lora), 1.0),), plan=made.plan, destination=target,
                            report=made.report, result=result)  # fmt: skip


def _check_target(
    loras: Sequence[tuple[Opened, float]], target: Path, options: RunOptions | None, *, new: bool
) -> None:
    """Refuse a destination before anything is computed: as if the inputs were copied there."""
    models = tuple(one.model for one, _ in loras)
    nothing = Plan(outputs=(), container="safetensors", inputs=models)
    rehearse(nothing, target, options=options, folder_will_be_made=new)


def _end(
    plan: Plan, target: Path, options: RunOptions | None, progress: Report | None,
    cancel: threading.Event | None, *, new: bool, dry_run: bool,
) -> Result | None:  # fmt: skip
    return None if dry_run else _written(plan, target, options, progress, cancel, new=new)


def _target(source: Path, destination: StrPath, tag: str) -> tuple[Path, bool]:
    """Return the file to write, and whether its folder may have to be made.

    Raises:
        UsageError: it is to be no safetensors file.
    """
    from kanna.ops.naming import container_of, is_folder
    from kanna.ops.naming import destination as named

    if container_of(destination, None) not in {None, "safetensors"}:
        raise UsageError("lora_making.only_safetensors", name=destination)
    return named(source, destination, (tag,), "safetensors"), is_folder(destination)


def _written(
    plan: Plan, target: Path, options: RunOptions | None, progress: Report | None,
    cancel: threading.Event | None, *, new: bool,
) -> Result:  # fmt: skip
    with folder_for(target.parent, wanted=new):
        return run(plan, target, options=options, progress=progress, cancel=cancel)


def lora_words(option: str) -> tuple[str, ...]:
    """Return the words that an option takes: ``dialects``, ``dtypes``, ``methods``."""
    from kanna.lora.dialects import dialects
    from kanna.lora.storing import DTYPES
    from kanna.ops.lora_merge import METHODS

    return {"dialects": tuple(dialects()), "dtypes": DTYPES, "methods": METHODS}[option]
