"""`kanna lora resize`: a LoRA at other ranks, each module as good as that rank can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final

from kanna.engine.options import Progress
from kanna.errors import Incompatible, UsageError
from kanna.lora.joining_loras import Share, Sum, summed_at_rank
from kanna.lora.made import Made
from kanna.lora.modules import Module
from kanna.lora.products import has_rank
from kanna.lora.ranks import LayerRanks, layer_ranks, ranks_of
from kanna.lora.reading import read
from kanna.lora.remade import dialect_of, remade, written
from kanna.lora.storing import storing, widest
from kanna.model import Note
from kanna.ops.lora_metadata import of_change
from kanna.ops.lora_remaking import Kept, kept_of, made_all, plan_of
from kanna.ops.merge_inputs import Opened
from kanna.plan import Plan

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
class ResizeReport(Kept):
    """What a LoRA keeps.

    `before` counts the ranks that its modules had; `kept` modules have none and stay as they are.
    """

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
    ranks = _wanted(options)
    contents = read(lora.model, lora.identity)
    able = [module for module in contents.modules if has_rank(module)]
    if not able:
        raise Incompatible("lora_making.nothing_to_resize", path=lora.model.path)
    how = storing(options.dtype or widest(able).word, options.device, options.quantile)

    def make(one: Sum) -> Made:
        return summed_at_rank(one, ranks.of(one.shape) or ranks.linear, how)

    sums = [_sum_of(module) for module in able]
    made = made_all(sums, make, progress, cancel)
    remakes = {id(module): remade(one, factors)
               for module, one, factors in zip(able, sums, made, strict=True)}  # fmt: skip
    new = [remakes.get(id(module), module) for module in contents.modules]
    spelled = written(new, dialect_of(contents.modules), options.dialect,
                      lora.identity.architecture)  # fmt: skip
    report = _report(able, made, len(contents.modules) - len(able))
    step = {"verb": "lora resize", "rank": options.dynamic or ranks.linear.most,
            "relative_error": float(f"{report.overall.error:.4g}")}  # fmt: skip
    metadata = of_change(lora.model.metadata, made, step, digest=options.digest)
    notes = [*contents.notes, *_notes(contents.modules, options, made)]
    return Resized(plan=plan_of(spelled, [lora], metadata, notes), report=report)


def _wanted(options: ResizeOptions) -> LayerRanks:
    """Return which ranks are asked for.

    Raises:
        UsageError: none, or none that make sense.
    """
    if options.rank is None and options.dynamic is None:
        raise UsageError("lora_making.rank_missing")
    if options.conv_rank == 0:
        raise UsageError("lora_making.rank_unclear", rank=0)
    ranks = ranks_of(options.rank, options.dynamic, options.most, default=_MOST)
    return layer_ranks(ranks, options.conv_rank)


def _sum_of(module: Module) -> Sum:
    return Sum(name=module.name, shares=(Share(module=module, weight=1.0),))


def _report(modules: Sequence[Module], made: Sequence[Made], kept: int) -> ResizeReport:
    found = kept_of(modules, made)
    before = Counter(one.before for one in made if one.before is not None)
    return ResizeReport(overall=found.overall, parts=found.parts, worst=found.worst,
                        before=tuple(sorted(before.items())), kept=kept)  # fmt: skip


def _notes(modules: Sequence[Module], options: ResizeOptions, made: Sequence[Made]) -> list[Note]:
    """Return what a person should know of modules that are no plain LoRA."""
    turned = [m for m in modules if has_rank(m) and m.kind not in {"lora", "dora"}]
    decomposed = [module for module in modules if module.kind == "dora"]
    kept = [module for module in modules if not has_rank(module)]
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
