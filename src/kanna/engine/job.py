"""run(): from a plan to one verified file, or to nothing at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

from kanna.disk import InputFile
from kanna.disk.writing import OutputFile
from kanna.engine import accidents, compare
from kanna.engine.checksums import Checksums
from kanna.engine.digest import Digest
from kanna.engine.meter import Meter
from kanna.engine.options import Progress, Result, RunOptions
from kanna.engine.prepare import Job, prepare
from kanna.engine.staging import Staging, check_destination, existing_folder
from kanna.engine.stream import Lane, Stream
from kanna.engine.verify import verify
from kanna.errors import FormatError, Interrupted, KannaError
from kanna.model import ModelFile
from kanna.plan import Plan

_WRITE_ERRORS: Final = {
    errno.ENOSPC: "engine.disk_full",
    getattr(errno, "EDQUOT", -1): "engine.quota",
    errno.EFBIG: "engine.too_big",
    errno.EACCES: "engine.not_allowed",
    errno.EPERM: "engine.not_allowed",
    errno.EROFS: "engine.not_allowed",
}


def run(
    plan: Plan,
    destination: str | os.PathLike[str],
    *,
    options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
    prove: Callable[[ModelFile], None] | None = None,
) -> Result:
    """Stream `plan` into `destination`: written, synced, verified, then published in one step.

    `progress` is called at most ten times a second, in the caller's thread; `cancel`, once set,
    stops the run. `prove` is called with the re-opened output before it is published, and raises
    if it is not what it should be. The bytes do not depend on the number of threads.

    Raises:
        UsageError: the destination is an input, a link or no file, or its folder is missing.
        OutputExists: the destination exists, or came to exist, without `options.force`.
        Incompatible: the container cannot hold what the plan wants, or an op does not fit.
        FormatError: an input is cut short, or changed while it was read.
        NumericError: numbers were too large for their dtype or became NaN, without
            `options.allow_overflow`.
        Interrupted: Ctrl-C, or `cancel`.
        KannaError: the disk is full or broken. Whatever is raised, the destination is as it was.
    """
    path = Path(destination)
    job = _checked(plan, path, options)
    meter = Meter(job.traffic, progress, cancel)
    staging = Staging(path, job.layout.size, force=job.options.force)
    with failures_told(path, job.memory, lambda: staging.published), staging as file:
        result = fill(job, path, file, meter, prove)
        check_inputs(job.files)
        staging.publish()
    return result


def rehearse(
    plan: Plan,
    destination: str | os.PathLike[str],
    *,
    options: RunOptions | None = None,
    folder_will_be_made: bool = False,
) -> int:
    """Check all that `run` checks before it reads a weight; write nothing.

    With `folder_will_be_made` the destination's folder may be missing: the nearest one that exists
    is looked at in its place. Returns the most bytes of buffers that the run will take.

    Raises:
        KannaError: what `run` would raise; see there.
    """
    path = Path(destination)
    return _checked(plan, path, options, folder_will_be_made=folder_will_be_made).memory


def _checked(
    plan: Plan, path: Path, options: RunOptions | None, *, folder_will_be_made: bool = False
) -> Job:
    job = prepare(plan, options or RunOptions())
    folder = existing_folder(path.parent) if folder_will_be_made else path.parent
    try:
        check_destination(path, folder, job.layout.size, job.files, force=job.options.force)
    except OSError as error:
        raise write_error(error, path) from error
    return job


@contextmanager
def failures_told(path: Path, memory: int, finished: Callable[[], bool]) -> Iterator[None]:
    """Turn what the system raises while `path` is made into errors of ours.

    Once `finished`, Ctrl-C goes through as it is: the output is there, and whole.

    Raises:
        Interrupted: Ctrl-C.
        KannaError: `memory` bytes were not to be had, or the disk is full or broken.
    """
    try:
        yield
    except KeyboardInterrupt:
        if finished():
            raise
        raise Interrupted("engine.interrupted") from None
    except MemoryError as error:
        raise KannaError("engine.no_memory", path=path, size=memory) from error
    except OSError as error:
        raise write_error(error, path) from error


def fill(
    job: Job,
    path: Path,
    file: OutputFile,
    meter: Meter,
    prove: Callable[[ModelFile], None] | None,
) -> Result:
    """Make all of `file`, which is to become `path`: written, synced and verified.

    Raises:
        KannaError: as `run`.
    """
    start = meter.seconds
    (lane,) = stream([(job, file)], meter)
    return finish(job, lane, path, meter, prove, since=start)


def stream(made: Sequence[tuple[Job, OutputFile]], meter: Meter) -> list[Lane]:
    """Make all bytes of the outputs of several jobs but their headers, in one pass.

    Raises:
        KannaError: as `run`.
    """
    measure([job.plan for job, _ in made], meter)
    for job, _ in made:
        for source in job.files:
            source.will_stream()
    lanes = [
        Lane(
            items=job.items, file=file, digest=Digest() if job.hashing else None,
            checksums=Checksums(len(job.plan.outputs)) if job.layout.wants_crcs else None,
        )
        for job, file in made
    ]  # fmt: skip
    Stream(lanes, threads=max(job.threads for job, _ in made)).run(meter.tick)
    meter.stage(sum(item.traffic for lane in lanes for item in lane.items))
    return lanes


def measure(plans: Sequence[Plan], meter: Meter) -> None:
    """Make the passes that computed tensors depend on, each once.

    Raises:
        KannaError: as `run`.
    """
    for measurement in (one for plan in plans for one in plan.measurements):
        traffic = measurement.traffic
        measurement.run(meter.tick)
        meter.stage(traffic)


def finish(
    job: Job, lane: Lane, path: Path, meter: Meter, prove: Callable[[ModelFile], None] | None,
    *, since: float,
) -> Result:  # fmt: skip
    """Write the headers of one output whose data is there, sync and verify it.

    Raises:
        KannaError: as `run`.
    """
    counts = accidents.by_name(job.plan, lane.counts)
    if not job.options.allow_overflow:
        accidents.refuse(job.plan, counts)
    digest = lane.digest.digits if lane.digest else None
    crcs = lane.checksums.all() if lane.checksums else ()
    for offset, block in job.layout.blocks(digest or "", crcs):
        lane.file.write(memoryview(block), offset)
    lane.file.sync()
    if job.full:
        lane.file.forget()
    verify(lane.file.path, job, digest=digest, meter=meter, prove=prove)
    return Result(
        path=path,
        size=job.layout.size,
        bytes_read=job.plan.read_bytes,
        memory=job.memory,
        seconds=meter.seconds - since,
        digest=digest,
        verified=job.options.verify,
        counts=counts,
        losses=compare.by_name(job.plan, lane.compared),
    )


def check_inputs(files: Sequence[InputFile]) -> None:
    """Refuse inputs that are not what they were when they were opened.

    Raises:
        FormatError: one has changed.
    """
    for file in files:
        if not file.unchanged():
            raise FormatError("engine.input_changed", path=file.path)


def write_error(error: OSError, path: Path) -> KannaError:
    """Return the error that says why `path` could not be written."""
    key = _WRITE_ERRORS.get(error.errno or 0, "engine.write_failed")
    return KannaError(key, path=path, reason=error.strerror or error)
