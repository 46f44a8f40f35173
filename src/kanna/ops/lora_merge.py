"""`kanna lora merge`: several LoRAs as one, exactly or at a rank.

A layer that only some of them change is theirs alone. LoRAs in other dialects or layouts than the
first are respelled before they are summed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Final, Literal, TypeAlias

from kanna.engine.meter import Meter
from kanna.engine.options import Progress
from kanna.errors import Incompatible, UsageError
from kanna.families import family
from kanna.lora.dense import is_dense
from kanna.lora.dialects import Dialect
from kanna.lora.joining_loras import Share, Sum, summed_at_rank, summed_exactly
from kanna.lora.made import Made, Retained, retained, storing, troubles_told, widest
from kanna.lora.modules import DIFFUSION, Module
from kanna.lora.products import is_product
from kanna.lora.ranks import Ranks, ranks_of
from kanna.lora.reading import modules as read_modules
from kanna.lora.references import reference
from kanna.lora.remade import dialect_of, remade, written
from kanna.lora.targets import encoder_word
from kanna.lora.writing import dialect_called, part_named
from kanna.model import Note
from kanna.ops.lora_metadata import common, of_change
from kanna.ops.lora_resize import plan_of
from kanna.ops.merge_inputs import Opened
from kanna.plan import Output, Plan

JoinMethod = Literal["concat", "svd"]
METHODS: Final = ("concat", "svd")
_MOST: Final = 128
_WORST: Final = 12
_Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraMergeOptions:
    """How LoRAs become one; see `ExtractOptions`.

    ``concat`` is exact, and the ranks add up; ``svd`` is as good as its ranks can be. `dialect`
    None is that of the first LoRA, `dtype` None the widest of theirs.
    """

    method: JoinMethod = "concat"
    rank: int | None = None
    dynamic: str | None = None
    most: int | None = None
    dialect: str | None = None
    dtype: str | None = None
    device: str = "cpu"
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraMergeReport:
    """How well the sum is kept: `overall`, of each part, of the layers that lose most.

    `shared` layers are changed by more than one LoRA.
    """

    overall: Retained
    parts: tuple[Retained, ...]
    worst: tuple[Retained, ...]
    shared: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LorasMerged:
    """The plan of the sum of LoRAs, and how well it is kept."""

    plan: Plan
    report: LoraMergeReport


def merge_loras(
    loras: Sequence[tuple[Opened, float]],
    options: LoraMergeOptions,
    progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
) -> LorasMerged:
    """Make the factors and return the plan that writes them; each LoRA comes with its weight.

    Raises:
        UsageError: the options make no sense.
        Incompatible: these are no LoRAs for one model, or hold what cannot be summed.
        MissingExtra: torch is not installed.
        NumericError: the factors do not fit in the dtype.
        FormatError: a file does not hold what its header says.
        Interrupted: Ctrl-C, or `cancel`.
    """
    ranks = _ranks(options)
    _check_bases([one for one, _ in loras])
    read = [read_modules(one.model, one.identity) for one, _ in loras]
    for (one, _), modules in zip(loras, read, strict=True):
        _check_kinds(one, modules, exact=options.method == "concat")
    architecture = next((one.identity.architecture for one, _ in loras
                         if one.identity.architecture), None)  # fmt: skip
    alike, own = _alike(read, options.dialect, architecture)
    sums, first = _sums(alike, [weight for _, weight in loras])
    how = storing(options.dtype or widest(m for modules in read for m in modules).word,
                  options.device, None)  # fmt: skip
    meter = Meter(sum(one.nbytes for one in sums), progress, cancel)
    with troubles_told(meter.total):
        if ranks is None:
            made = list(summed_exactly(sums, how, meter.tick))
        else:
            made = list(summed_at_rank(sums, ranks, how, meter.tick))
    new = [remade(module, one) for module, one in zip(first, made, strict=True)]
    spelled = written(new, own, options.dialect, architecture)
    report = _report(sums, first, made)
    metadata = of_change(common(one.model.metadata for one, _ in loras), made,
                         _step(loras, options, ranks, report), digest=options.digest)  # fmt: skip
    outputs = [Output.of(tensor) for tensor in spelled.tensors.values()]
    opened = [one for one, _ in loras]
    return LorasMerged(plan=plan_of(outputs, opened, metadata, spelled.metadata, _notes(report)),
                       report=report)  # fmt: skip


def _ranks(options: LoraMergeOptions) -> Ranks | None:
    """Return the ranks of the sum, or None where they add up.

    Raises:
        UsageError: ranks are asked for that add up.
    """
    asked = options.rank is not None or options.dynamic is not None
    if options.method == "concat":
        if asked:
            raise UsageError("lora_making.rank_of_concat")
        return None
    if not asked:
        raise UsageError("lora_making.rank_missing")
    return ranks_of(options.rank, options.dynamic, options.most, default=_MOST)


def _check_bases(loras: Sequence[Opened]) -> None:
    """Refuse LoRAs that are known to be for different models."""
    known = [(one, one.identity.architecture) for one in loras if one.identity.architecture]
    for one, architecture in known[1:]:
        if architecture != known[0][1]:
            raise Incompatible("lora_making.bases", path=one.model.path, first=architecture,
                               other=known[0][0].model.path, second=known[0][1])  # fmt: skip


def _check_kinds(lora: Opened, modules: Sequence[Module], *, exact: bool) -> None:
    """Refuse what has no sum: what depends on the weight (DoRA, IA3, OFT), or is no matrix."""
    for module in modules:
        if module.decomposed or not (is_product(module) or is_dense(module)):
            raise Incompatible("lora_making.no_sum", path=lora.model.path, name=module.name,
                               kind=module.kind)  # fmt: skip
        if exact and not is_product(module):
            raise Incompatible("lora_making.no_concat", path=lora.model.path, name=module.name,
                               kind=module.kind)  # fmt: skip


def _alike(
    read: Sequence[Sequence[Module]], dialect: str | None, architecture: str | None
) -> tuple[list[list[Module]], Dialect | None]:
    """Return the modules of all LoRAs under names of one layout, and the dialect that they are in.

    Raises:
        Incompatible: they are spelled differently, and nobody knows the model or one of its layers.
    """
    own, known = dialect_of(read[0]), family(architecture or "")
    if len({_spelling(modules, architecture) for modules in read}) == 1:
        return [list(modules) for modules in read], own
    if architecture is None or known is None:
        raise Incompatible("lora_making.spelled_differently")
    target = dialect_called(dialect or (own.name if own else "kohya"))
    made: list[list[Module]] = []
    for modules in read:
        laid = [
            part_named([one for one in modules if one.reach == reach], reach, target,
                       architecture, known.needs)
            for reach in dict.fromkeys(module.reach for module in modules)
        ]  # fmt: skip
        made.append([replace(one, reach=start, name=start + one.path)
                     for start, some in laid for one in some])  # fmt: skip
    return made, target


def _word(reach: str, architecture: str | None) -> str | None:
    known = family(architecture or "")
    return DIFFUSION if reach == DIFFUSION else encoder_word(reach, known.needs if known else ())


def _spelling(
    modules: Sequence[Module], architecture: str | None
) -> tuple[str | None, tuple[tuple[str, str | None], ...]]:
    """Return what tells two spellings apart: the dialect, and the layout of each part."""
    dialect = dialect_of(modules)
    parts: dict[str, str | None] = {}
    for reach in dict.fromkeys(module.reach for module in modules) if architecture else ():
        some = [module for module in modules if module.reach == reach]
        word = _word(reach, architecture)
        known = reference(word, architecture or "", dialect_called("kohya"), some) if word else None
        parts[reach] = known.place.layout_of(some) if known else None
    return dialect.name if dialect else None, tuple(sorted(parts.items()))


def _sums(
    read: Sequence[Sequence[Module]], weights: Sequence[float]
) -> tuple[list[Sum], list[Module]]:
    """Return the sums by layer, in the order in which layers are met, and a module of each."""
    shares: dict[_Key, list[Share]] = {}
    for modules, weight in zip(read, weights, strict=True):
        for module in modules:
            shares.setdefault((module.reach, module.key), []).append(
                Share(module=module, weight=weight)
            )
    sums = [Sum(name=some[0].module.name, shares=tuple(some)) for some in shares.values()]
    return sums, [some[0].module for some in shares.values()]


def _report(sums: Sequence[Sum], first: Sequence[Module], made: Sequence[Made]) -> LoraMergeReport:
    worst = sorted(made, key=lambda one: one.missing, reverse=True)[:_WORST]
    return LoraMergeReport(
        overall=retained("", made), parts=tuple(_by_part(first, made)),
        worst=tuple(retained(one.name, [one]) for one in worst),
        shared=sum(len(one.shares) > 1 for one in sums),
    )  # fmt: skip


def _by_part(modules: Sequence[Module], made: Sequence[Made]) -> Iterator[Retained]:
    for reach in dict.fromkeys(module.reach for module in modules):
        pairs = zip(modules, made, strict=True)
        yield retained(reach, [one for module, one in pairs if module.reach == reach])


def _step(
    loras: Sequence[tuple[Opened, float]], options: LoraMergeOptions, ranks: Ranks | None,
    report: LoraMergeReport,
) -> Mapping[str, object]:  # fmt: skip
    """Return the record of what was done."""
    return {
        "verb": "lora merge", "method": options.method,
        "loras": [{"name": one.model.path.name, "weight": weight,
                   **({"sha256": one.sha256} if one.sha256 else {})} for one, weight in loras],
        **({} if ranks is None else {"rank": options.dynamic or ranks.most}),
        "relative_error": float(f"{report.overall.error:.4g}"),
    }  # fmt: skip


def _notes(report: LoraMergeReport) -> tuple[Note, ...]:
    """Return what a person should know: that no layer is changed by two."""
    return () if report.shared else (Note("lora_making.nothing_shared", {}),)
