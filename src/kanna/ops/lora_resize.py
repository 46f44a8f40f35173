"""`kanna lora resize`: a LoRA at other ranks, each module as good as that rank can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final

from kanna.engine.meter import Meter
from kanna.engine.options import Progress
from kanna.errors import Incompatible, UsageError
from kanna.lora.made import Made, Retained, retained, storing, troubles_told, widest
from kanna.lora.modules import Module
from kanna.lora.ranks import Ranks, ranks_of
from kanna.lora.reading import modules as read_modules
from kanna.lora.remade import dialect_of, remade, written
from kanna.lora.resizing import Resizing, can_resize, resized
from kanna.metadata import Metadata
from kanna.model import Note
from kanna.ops.lora_metadata import of_change
from kanna.ops.merge_inputs import Opened
from kanna.plan import Output, Plan

_WORST: Final = 12
_MOST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeOptions:
    """Which ranks a LoRA gets, and how it is written; see `ExtractOptions`.

    `dtype` None is that of the file, `dialect` None as it is spelled.
    """

    rank: int | None = None
    dynamic: str | None = None
    most: int | None = None
    conv_rank: int | None = None
    quantile: float | None = None
    dialect: str | None = None
    dtype: str | None = None
    device: str = "cpu"
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeReport:
    """What a LoRA keeps: `overall`, of each part, of the modules that lose most.

    `before` counts the ranks that its modules had; `kept` modules have none and stay as they are.
    """

    overall: Retained
    parts: tuple[Retained, ...]
    worst: tuple[Retained, ...]
    before: tuple[tuple[int, int], ...]
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resized:
    """The plan of a LoRA at its new ranks, and what it keeps."""

    plan: Plan
    report: ResizeReport


def resize(
    lora: Opened,
    options: ResizeOptions,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
) -> Resized:
    """Make the factors and return the plan that writes them.

    Raises:
        UsageError: the options make no sense.
        Incompatible: it is no LoRA, or has nothing to resize.
        MissingExtra: torch is not installed.
        NumericError: the factors do not fit in the dtype.
        FormatError: the file does not hold what its header says.
        Interrupted: Ctrl-C, or `cancel`.
    """
    modules = read_modules(lora.model, lora.identity)
    able = [module for module in modules if can_resize(module)]
    if not able:
        raise Incompatible("lora_making.nothing_to_resize", path=lora.model.path)
    wanted = _wanted(options, able)
    meter = Meter(sum(t.nbytes for m in able for t in m.pieces.values()), progress, cancel)
    with troubles_told(meter.total):
        made = list(resized(able, wanted, meter.tick))
    by_module = dict(zip(map(id, able), made, strict=True))
    new = [remade(one, by_module[id(one)]) if id(one) in by_module else one for one in modules]
    spelled = written(new, dialect_of(modules), options.dialect, lora.identity.architecture)
    report = _report(able, made, len(modules) - len(able))
    step = {"verb": "lora resize", "rank": options.dynamic or wanted.ranks.most,
            "relative_error": float(f"{report.overall.error:.4g}")}  # fmt: skip
    metadata = of_change(lora.model.metadata, made, step, digest=options.digest)
    outputs = tuple(Output.of(tensor) for tensor in spelled.tensors.values())
    plan = plan_of(outputs, [lora], metadata, spelled.metadata, _notes(modules, options, made))
    return Resized(plan=plan, report=report)


def plan_of(
    outputs: Sequence[Output], inputs: Sequence[Opened], metadata: Metadata,
    own: Mapping[str, str], notes: Sequence[Note],
) -> Plan:  # fmt: skip
    """Return the plan of a LoRA; `own` are the fields that belong to its dialect."""
    return Plan(
        outputs=tuple(outputs), container="safetensors",
        inputs=tuple(one.model for one in inputs),
        metadata={**metadata.fields, **own}, digest_fields=metadata.digest_fields,
        notes=(*notes, *metadata.notes),
    )  # fmt: skip


def _wanted(options: ResizeOptions, modules: Sequence[Module]) -> Resizing:
    dynamic = options.dynamic is not None
    if options.rank is None and not dynamic:
        raise UsageError("lora_making.rank_missing")
    ranks = ranks_of(options.rank, options.dynamic, options.most, default=_MOST)
    conv = ranks
    if options.conv_rank is not None:
        conv = Ranks(method=ranks.method, value=ranks.value, most=options.conv_rank)
    dtype = options.dtype or widest(modules).word
    return Resizing(ranks=ranks, conv_ranks=conv,
                    storing=storing(dtype, options.device, options.quantile))  # fmt: skip


def _report(modules: Sequence[Module], made: Sequence[Made], kept: int) -> ResizeReport:
    reaches = dict.fromkeys(module.reach for module in modules)
    pairs = list(zip(modules, made, strict=True))
    worst = sorted(made, key=lambda one: one.missing, reverse=True)[:_WORST]
    before = [one.before for one in made if one.before is not None]
    return ResizeReport(
        overall=retained("", made),
        parts=tuple(retained(reach, [one for module, one in pairs if module.reach == reach])
                    for reach in reaches),
        worst=tuple(retained(one.name, [one]) for one in worst),
        before=tuple((rank, before.count(rank)) for rank in sorted(set(before))), kept=kept,
    )  # fmt: skip


def _notes(modules: Sequence[Module], options: ResizeOptions, made: Sequence[Made]) -> list[Note]:
    """Return what a person should know of modules that are no plain LoRA."""
    turned = [m for m in modules if can_resize(m) and m.kind not in {"lora", "dora"}]
    decomposed = [module for module in modules if module.kind == "dora"]
    kept = [module for module in modules if not can_resize(module)]
    notes = []
    if turned:
        kinds = ", ".join(sorted({module.kind for module in turned}))
        notes.append(Note("lora_making.turned", {"kinds": kinds, "count": len(turned)}))
    if decomposed:
        notes.append(Note("lora_making.decomposed", {"count": len(decomposed)}))
    if kept:
        kinds = ", ".join(sorted({module.kind for module in kept}))
        notes.append(Note("lora_making.kept", {"kinds": kinds, "count": len(kept)}, warning=False))
    if options.rank and all(one.before is not None and one.rank < options.rank for one in made):
        notes.append(Note("lora_making.not_raised", {"rank": options.rank}))
    return notes
