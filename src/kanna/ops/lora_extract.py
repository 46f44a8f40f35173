"""`kanna lora extract`: what a model has more than another, as a LoRA.

::

    two models ─ lora_differences   their layers' differences, as views, by the dialect's names
               ─ lora.extracting    each as two narrow factors, one layer at a time
               ─ lora.writing       as tensors of the dialect → Plan
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event

from kanna.dtypes import WORDS
from kanna.engine.meter import Meter
from kanna.engine.options import Progress
from kanna.errors import Incompatible, UsageError
from kanna.lora.dialects import Dialect
from kanna.lora.extracting import (
    Difference,
    Layer,
    Wanted,
    extracted,
    memory,
    squares_of,
    unmade,
)
from kanna.lora.made import Made, module_of
from kanna.lora.pieces import finite_numbers
from kanna.lora.storing import troubles_told
from kanna.lora.writing import dialect_called, spelled
from kanna.metadata import Metadata
from kanna.model import Note
from kanna.ops.lora_differences import FULL, Differences, PartDifferences, differences
from kanna.ops.lora_extract_options import ExtractOptions
from kanna.ops.lora_extract_report import ExtractReport, Outcome, report_of
from kanna.ops.lora_metadata import of_extraction
from kanna.ops.merge_inputs import Opened
from kanna.plan import Output, Plan, WeightedSum


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """An extraction before a number is read.

    `rest` are differences that can be written whole.
    """

    tuned: Opened
    base: Opened
    found: Differences
    wanted: Wanted
    dialect: Dialect
    options: ExtractOptions
    rest: tuple[Output, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of all parts."""
        return tuple(layer for part in self.found.parts for layer in part.layers)

    @property
    def traffic(self) -> int:
        """The bytes of all differences."""
        beside = (tensor.nbytes for part in self.found.parts for tensor in part.rest.values())
        return sum(layer.difference.nbytes for layer in self.layers) + sum(beside)

    @property
    def memory(self) -> int:
        """About how many bytes it takes."""
        return memory(self.layers, self.wanted)

    @property
    def most(self) -> Plan:
        """The plan at the highest ranks that the options allow, with zeros for all factors."""
        made = [
            [one for layer in part.layers if (one := unmade(layer, self.wanted)) is not None]
            for part in self.found.parts
        ]
        return _plan(self, made, self.rest, Metadata({}, {}, ()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extracted:
    """The plan of a LoRA whose factors are made, and what they keep."""

    plan: Plan
    report: ExtractReport


def prepare(tuned: Opened, base: Opened, options: ExtractOptions) -> Prepared:
    """Return what will be extracted; only headers are read.

    Raises:
        UsageError: the options make no sense.
        Incompatible: these are no two models of one kind.
        MissingExtra: torch is not installed.
    """
    wanted, dialect = options.wanted(), dialect_called(options.dialect)
    if options.full and "full" not in dialect.kinds:
        raise UsageError("lora_making.no_full", dialect=dialect.title)
    found = differences(tuned, base, dialect, text_encoders=options.text_encoders)
    rest = [one for part in found.parts for one in _wholes(part, options)]
    return Prepared(tuned=tuned, base=base, found=found, wanted=wanted, dialect=dialect,
                    options=options, rest=tuple(rest))  # fmt: skip


def extract(
    job: Prepared,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
) -> Extracted:
    """Make the factors, one layer at a time, and return the plan that writes them.

    Raises:
        Incompatible: the models do not differ.
        NumericError: a difference is not finite, or does not fit in the dtype.
        FormatError: a file does not hold what its header says.
        Interrupted: Ctrl-C, or `cancel`.
    """
    meter = Meter(job.traffic, progress, cancel)
    with troubles_told(job.memory):
        parts = [_of_part(part, job, meter) for part in job.found.parts]
    if not any(made for made, _, _ in parts):
        raise Incompatible("lora_making.no_difference", path=job.tuned.model.path,
                           other=job.base.model.path)  # fmt: skip
    beside = {one.name: one for _, _, rest in parts for one in rest}
    differing = [one for one in job.rest if beside[one.name].squares]
    report = report_of(job.found.parts, parts, [one.name for one in differing])
    made = [made for made, _, _ in parts]
    metadata = of_extraction(
        job.base.model, job.base.identity, [one for some in made for one in some], job.dialect,
        _step(job, report), digest=job.options.digest,
    )  # fmt: skip
    return Extracted(plan=_plan(job, made, differing, metadata), report=report)


def _of_part(part: PartDifferences, job: Prepared, meter: Meter) -> Outcome:
    """Return what is made of a part's layers, what is left out, and how much differs beside."""
    results = list(extracted(part.layers, job.wanted, meter.tick))
    meter.stage(sum(layer.difference.nbytes for layer in part.layers))
    made = [one for one in results if isinstance(one, Made)]
    skipped = [one for one in results if isinstance(one, Difference)]
    beside, done = [], 0
    for name, tensor in part.rest.items():
        beside.append(Difference(name=name, squares=squares_of(finite_numbers(tensor))))
        done += tensor.nbytes
        meter.tick(done)
    meter.stage(done)
    return made, skipped, beside


def _wholes(part: PartDifferences, options: ExtractOptions) -> Iterator[Output]:
    """Yield the differences that are written whole: those with a name for it."""
    dtype = WORDS[options.dtype]
    for name, tensor in part.rest.items() if options.full else ():
        if name.endswith(FULL):
            yield Output(name, dtype, tensor.shape, WeightedSum(), (tensor,))


def _plan(
    job: Prepared, made: Sequence[Sequence[Made]], rest: Sequence[Output], metadata: Metadata
) -> Plan:
    parts = [
        (part.start, [module_of(one, part.word, one.name) for one in some])
        for part, some in zip(job.found.parts, made, strict=True)
    ]
    written = spelled(parts, job.dialect)
    outputs = [Output.of(tensor) for tensor in written.tensors.values()]
    return Plan(
        outputs=(*outputs, *rest), container="safetensors",
        inputs=(job.tuned.model, job.base.model),
        metadata={**metadata.fields, **written.metadata}, digest_fields=metadata.digest_fields,
        notes=(*_notes(job), *metadata.notes),
    )  # fmt: skip


def _notes(job: Prepared) -> Iterator[Note]:
    """Yield what a person should know of the pair."""
    found = job.found
    if found.nameless:
        yield Note("lora_making.part_without_names",
                   {"dialect": job.dialect.title, "parts": ", ".join(found.nameless)})  # fmt: skip
    if found.uneven:
        yield Note("lora_making.uneven", {"name": found.uneven[0], "count": len(found.uneven)})
    if found.strangers:
        yield Note("lora_making.strangers", {"name": found.strangers[0],
                                             "count": len(found.strangers)})  # fmt: skip


def _step(job: Prepared, report: ExtractReport) -> dict[str, object]:
    """Return the record of what was done."""
    options = job.options
    most = job.wanted.ranks.linear.most
    ranks: object = f"{options.dynamic}, at most {most}" if options.dynamic else most
    return {
        "verb": "lora extract", "tuned": _file(job.tuned), "base": _file(job.base), "rank": ranks,
        "relative_error": float(f"{report.error:.4g}"),
    }  # fmt: skip


def _file(opened: Opened) -> dict[str, object]:
    known = opened.sha256 or (opened.identity.hashes or {}).get("sha256")
    return {"name": opened.model.path.name, **({"sha256": known} if known else {})}
