"""run_together(): several outputs of the same inputs, which are read once for all of them.

The outputs are made abreast, so that what one of them reads the others read right after, from
memory. Each is verified and published by itself: one that fails does not take the others along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TypeAlias

from kanna.engine.group import blamed, checked, made_folders
from kanna.engine.job import check_inputs, failures_told, finish, stream
from kanna.engine.meter import Meter
from kanna.engine.options import Progress, Result, RunOptions
from kanna.engine.staging import Staging
from kanna.errors import Interrupted, KannaError
from kanna.model import ModelFile
from kanna.plan import Plan

# Called with the re-opened output of a plan; raises if it is not what it should be.
Proof: TypeAlias = Callable[[Path, ModelFile], None]


def run_together(
    plans: Mapping[Path, Plan],
    *,
    options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
    prove: Proof | None = None,
) -> dict[Path, Result | KannaError]:
    """Make the files of all `plans` in one pass, in the memory of one.

    Missing folders are made. Returns what became of each, in their order: its result, or why it is
    not there.

    Raises:
        UsageError: two destinations are one file, or one is an input, a link or no file.
        KannaError: as `run`, for what concerns all of them. Then nothing was published, unless
            Ctrl-C came while the last of them were verified.
    """
    group = checked(plans, options or RunOptions())
    meter = Meter(sum(job.traffic for job in group.jobs.values()), progress, cancel)
    made: dict[Path, Result | KannaError] = {}
    with (
        failures_told(group.place, group.memory, lambda: len(made) == len(plans)),
        made_folders(plans),
        ExitStack() as stack,
    ):
        stagings = {p: Staging(p, group.size(p), force=group.force) for p in plans}
        opened = {}
        for path, staging in stagings.items():
            with blamed(path, group):
                opened[path] = stack.enter_context(staging)
        start = meter.seconds
        lanes = stream([(job, opened[path]) for path, job in group.jobs.items()], meter)
        check_inputs(group.inputs)
        for (path, job), lane in zip(group.jobs.items(), lanes, strict=True):
            own = None if prove is None else lambda model, path=path: prove(path, model)
            try:
                with blamed(path, group):
                    made[path] = finish(job, lane, path, meter, own, since=start)
                    stagings[path].publish()
            except Interrupted:
                raise
            except KannaError as error:
                made[path] = error
            if job.full:
                meter.stage(job.plan.data_bytes)
    return made
