"""run(): from a plan to one verified file, or to nothing at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Event
from typing import Final

from kanna import disk
from kanna.disk import InputFile, OutputFile
from kanna.engine.digests import Digests
from kanna.engine.meter import Meter
from kanna.engine.options import Progress, Result, RunOptions
from kanna.engine.staging import Staging, check_destination
from kanna.engine.stream import Stream, memory_needed
from kanna.engine.verify import verify
from kanna.engine.work import Batch, Move, divide
from kanna.errors import FormatError, Incompatible, Interrupted, KannaError, NumericError
from kanna.formats.layout import FileLayout, arrange
from kanna.kernel import Counts
from kanna.model import ModelFile
from kanna.plan import Constant, Copy, Output, Plan, WeightedSum

_SHOWN: Final = 3  # names in a message; the counts are all in it
_WRITE_ERRORS: Final = {
    errno.ENOSPC: "engine.disk_full",
    getattr(errno, "EDQUOT", -1): "engine.quota",
    errno.EFBIG: "engine.too_big",
    errno.EACCES: "engine.not_allowed",
    errno.EPERM: "engine.not_allowed",
    errno.EROFS: "engine.not_allowed",
}


@dataclass(frozen=True, slots=True)
class _Job:
    """A plan with everything that follows from it."""

    plan: Plan
    options: RunOptions
    layout: FileLayout
    items: Sequence[Batch | Move]
    threads: int

    @property
    def hashing(self) -> bool:
        """Whether a thread follows the workers."""
        return self.sha256 or self.layout.wants_crcs

    @property
    def full(self) -> bool:
        """Whether every byte is to be read again."""
        return self.options.verify == "full"

    @property
    def sha256(self) -> bool:
        """Whether somebody wants the digest of the data."""
        return self.layout.wants_digest or self.full

    @property
    def files(self) -> list[InputFile]:
        """All open inputs."""
        return [file for model in self.plan.inputs for file in model.files]

    @property
    def traffic(self) -> int:
        """The bytes to be read, written and, if asked for, read again."""
        again = self.plan.data_bytes if self.full else 0
        return sum(item.traffic for item in self.items) + again


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
        NumericError: finite numbers became Inf or NaN, without `options.allow_overflow`.
        Interrupted: Ctrl-C, or `cancel`.
        KannaError: the disk is full or broken. Whatever is raised, the destination is as it was.
    """
    path = Path(destination)
    job = _prepare(plan, options or RunOptions())
    meter = Meter(job.traffic, progress, cancel)
    staging = Staging(path, job.layout.size, force=job.options.force)
    try:
        check_destination(path, job.layout.size, job.files, force=job.options.force)
        with staging as file:
            counts, digest = _write(job, file, meter)
            _make_durable(job, file, meter)
            verify(
                file.path, plan, job.layout,
                digest=digest if job.full else None, meter=meter, prove=prove,
            )  # fmt: skip
            _check_inputs(job.files)
            staging.publish()
    except KeyboardInterrupt:
        if staging.published:
            raise  # too late to take it back: the file is there, and whole
        raise Interrupted("engine.interrupted") from None
    except OSError as error:
        raise _write_error(error, path) from error
    return Result(
        path=path,
        size=job.layout.size,
        bytes_read=plan.read_bytes,
        seconds=meter.seconds,
        digest=digest,
        verified=job.options.verify,
        counts=counts,
    )


def memory_bound(plan: Plan, options: RunOptions | None = None) -> int:
    """Return the most bytes of buffers that running `plan` takes, beside the interpreter itself.

    Raises:
        Incompatible: the container cannot hold what the plan wants, or an op does not fit.
    """
    job = _prepare(plan, options or RunOptions())
    return memory_needed(job.items, job.threads, hashing=job.hashing)


def _prepare(plan: Plan, options: RunOptions) -> _Job:
    for output in plan.outputs:
        if not _fits(output):
            raise Incompatible("engine.does_not_fit", name=output.name)
    layout = arrange(
        plan.container,
        [(output.name, output.dtype, output.shape) for output in plan.outputs],
        metadata=plan.metadata,
        digest_fields=plan.digest_fields,
        extras=plan.extras,
    )
    untouched = not (layout.wants_digest or layout.wants_crcs or options.verify == "full")
    items = divide(plan.outputs, layout.offsets, moving=untouched and disk.CAN_MOVE)
    return _Job(plan, options, layout, items, options.thread_count())


def _fits(output: Output) -> bool:
    """Whether the op can be applied to the inputs and fills the output."""
    match output.op:
        case Constant(data):
            return len(data) == output.nbytes
        case Copy():
            return [tensor.nbytes for tensor in output.inputs] == [output.nbytes]
        case WeightedSum(weights):
            arithmetic = output.dtype.code is not None
            counts = [t.numel for t in output.inputs if t.dtype.code is not None]
            return arithmetic and bool(weights) and counts == [prod(output.shape)] * len(weights)


def _write(job: _Job, file: OutputFile, meter: Meter) -> tuple[dict[str, Counts], str | None]:
    """Make all bytes of the output; return what was counted, and the digest of the data."""
    for source in job.files:
        source.will_stream()
    digests = Digests(len(job.plan.outputs), sha256=job.sha256, crc32=job.layout.wants_crcs)
    stream = Stream(job.items, file, digests, threads=job.threads)
    stream.run(meter.tick)
    counts = _by_name(job.plan, stream.counts)
    if not job.options.allow_overflow:
        _refuse_accidents(counts)
    for offset, block in job.layout.blocks(digests.digest or "", digests.crcs):
        file.write(memoryview(block), offset)
    return counts, digests.digest


def _make_durable(job: _Job, file: OutputFile, meter: Meter) -> None:
    file.sync()
    if job.full:
        file.forget()
    meter.stage(sum(item.traffic for item in job.items))


def _check_inputs(files: Sequence[InputFile]) -> None:
    for file in files:
        if not file.unchanged():
            raise FormatError("engine.input_changed", path=file.path)


def _by_name(plan: Plan, counted: Sequence[tuple[int, Counts]]) -> dict[str, Counts]:
    totals: dict[int, Counts] = {}
    for index, counts in counted:
        if counts != Counts():
            totals[index] = totals.get(index, Counts()) + counts
    return {plan.outputs[index].name: totals[index] for index in sorted(totals)}


def _refuse_accidents(counts: dict[str, Counts]) -> None:
    bad = {name: c.overflowed + c.nan_made for name, c in counts.items()}
    bad = {name: count for name, count in bad.items() if count}
    if bad:
        worst = sorted(bad, key=lambda name: -bad[name])[:_SHOWN]
        names = ", ".join(f"{name} ({bad[name]:,})" for name in worst)
        raise NumericError(
            "engine.overflow", count=sum(bad.values()), tensors=len(bad), names=names
        )


def _write_error(error: OSError, path: Path) -> KannaError:
    key = _WRITE_ERRORS.get(error.errno or 0, "engine.write_failed")
    return KannaError(key, path=path, reason=error.strerror or error)
