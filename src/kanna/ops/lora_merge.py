"""`kanna lora merge`: several LoRAs as one, exactly or at a rank.

A layer that only some of them change is theirs alone. LoRAs in other dialects or layouts than the
first are respelled before they are summed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final, Literal

from kanna.engine.options import Progress
from kanna.errors import Incompatible, UsageError
from kanna.lora.agreeing import alike
from kanna.lora.joining_loras import Share, Sum, summed_at_rank, summed_exactly
from kanna.lora.made import Made
from kanna.lora.modules import Module
from kanna.lora.products import has_rank, is_product
from kanna.lora.ranks import Ranks, ranks_of
from kanna.lora.reading import read
from kanna.lora.remade import remade, written
from kanna.lora.storing import storing, widest
from kanna.lora.writing import dialect_called
from kanna.model import Note
from kanna.ops.lora_metadata import common, of_change, of_model
from kanna.ops.lora_remaking import Kept, kept_of, made_all, plan_of
from kanna.ops.merge_inputs import Opened
from kanna.plan import Plan

JoinMethod = Literal["concat", "svd"]
METHODS: Final = ("concat", "svd")
_MOST: Final = 128


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
class LoraMergeReport(Kept):
    """How well the sum is kept.

    `shared` layers are changed by more than one LoRA.
    """

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
    contents = [read(one.model, one.identity) for one, _ in loras]
    for (one, _), held in zip(loras, contents, strict=True):
        _check_kinds(one, held.modules, exact=options.method == "concat")
    architecture = next((one.identity.architecture for one, _ in loras
                         if one.identity.architecture), None)  # fmt: skip
    several, own = alike([held.modules for held in contents], options.dialect, architecture)
    sums = _sums(several, [weight for _, weight in loras])
    how = storing(options.dtype or widest(m for held in contents for m in held.modules).word,
                  options.device, None)  # fmt: skip

    def make(one: Sum) -> Made:
        return summed_at_rank(one, ranks, how) if ranks else summed_exactly(one, how)

    made = made_all(sums, make, progress, cancel)
    new = [remade(one, factors) for one, factors in zip(sums, made, strict=True)]
    spelled = written(new, own, options.dialect, architecture)
    report = _report(sums, new, made)
    known = next((one.identity for one, _ in loras if one.identity.architecture), None)
    dialect = dialect_called(options.dialect) if options.dialect else own
    fields = {**(of_model(known, dialect) if known else {}),
              **common(one.model.metadata for one, _ in loras)}  # fmt: skip
    metadata = of_change(fields, made, _step(loras, options, ranks, report), digest=options.digest)
    notes = [note for held in contents for note in held.notes]
    if not report.shared:
        notes.append(Note("lora_making.nothing_shared", {}))
    plan = plan_of(spelled, [one for one, _ in loras], metadata, notes)
    return LorasMerged(plan=plan, report=report)


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
        if module.decomposed or not has_rank(module):
            raise Incompatible("lora_making.no_sum", path=lora.model.path, name=module.name,
                               kind=module.kind)  # fmt: skip
        if exact and not is_product(module):
            raise Incompatible("lora_making.no_concat", path=lora.model.path, name=module.name,
                               kind=module.kind)  # fmt: skip


def _sums(several: Sequence[Sequence[Module]], weights: Sequence[float]) -> list[Sum]:
    """Return the sums by layer, in the order in which layers are met."""
    shares: dict[tuple[str, str], list[Share]] = {}
    for modules, weight in zip(several, weights, strict=True):
        for module in modules:
            layer = shares.setdefault((module.reach, module.key), [])
            layer.append(Share(module=module, weight=weight))
    return [Sum(name=some[0].module.name, shares=tuple(some)) for some in shares.values()]


def _report(sums: Sequence[Sum], new: Sequence[Module], made: Sequence[Made]) -> LoraMergeReport:
    found = kept_of(new, made)
    return LoraMergeReport(overall=found.overall, parts=found.parts, worst=found.worst,
                           shared=sum(len(one.shares) > 1 for one in sums))  # fmt: skip


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
