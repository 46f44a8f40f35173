"""From a plan to a job: everything that is known before a weight is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from kanna.disk import InputFile, system
from kanna.engine.clipping import CLIPPED
from kanna.engine.encode import fits
from kanna.engine.options import RunOptions
from kanna.engine.stream import memory_needed
from kanna.engine.work import Batch, Move, divide
from kanna.errors import Incompatible
from kanna.formats.layout import FileLayout, arrange
from kanna.plan import Constant, Copy, Encoded, Output, Plan, WeightedSum


@dataclass(frozen=True, slots=True)
class Job:
    """A plan with everything that follows from it."""

    plan: Plan
    options: RunOptions
    layout: FileLayout
    items: Sequence[Batch | Move]
    threads: int

    @property
    def full(self) -> bool:
        """Whether every byte is to be read again."""
        return self.options.verify == "full"

    @property
    def hashing(self) -> bool:
        """Whether somebody wants the digest of the data, so that a thread follows the workers."""
        return self.layout.wants_digest or self.full

    @property
    def files(self) -> list[InputFile]:
        """All open inputs."""
        return [file for model in self.plan.inputs for file in model.files]

    @property
    def traffic(self) -> int:
        """The bytes to be read, written and, if asked for, read again."""
        again = self.plan.data_bytes if self.full else 0
        before = sum(measurement.traffic for measurement in self.plan.measurements)
        return before + sum(item.traffic for item in self.items) + again

    @property
    def memory(self) -> int:
        """The bytes of all buffers at the worst moment."""
        return memory_needed(self.items, self.threads, hashing=self.hashing)


def prepare(plan: Plan, options: RunOptions) -> Job:
    """Check `plan`, lay out its file and cut the work.

    Raises:
        Incompatible: the container cannot hold what the plan wants, or an op does not fit.
        UsageError: an option makes no sense.
    """
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
    items = divide(plan.outputs, layout.offsets, moving=untouched and system.CAN_MOVE)
    return Job(plan, options, layout, items, options.thread_count())


def _fits(output: Output) -> bool:
    """Whether the op can be applied to the inputs and fills the output."""
    match output.op:
        case Constant(data):
            return len(data) == output.nbytes
        case Copy():
            return [tensor.nbytes for tensor in output.inputs] == [output.nbytes]
        case WeightedSum(weights, clipped=clipped):
            arithmetic = output.dtype.code is not None and (not clipped or output.dtype in CLIPPED)
            counts = [t.numel for t in output.inputs if t.dtype.code is not None]
            return arithmetic and bool(weights) and counts == [prod(output.shape)] * len(weights)
        case Encoded() as op:
            return fits(output, op)
