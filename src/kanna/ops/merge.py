"""`kanna merge` as a plan: the leading model with the sums of a recipe in place of its weights.

::

    Opened ─ merge_inputs   who leads, who is merged, who lends a VAE or a LoRA
       ├ merge_gather       all models under the names of the leading one
       │   ├ merge_checks   pairs that cannot be merged, refused by their headers
       │   ├ aligning       a model's tensors under the names of another
       │   └ merge_scope    which of them are weights; the others are copied
       ├ kanna.merging      each weight as a sum of tensors
       ├ merge_notes        what a person should know of all this
       └ convert.finished   EMA, pruning, VAE, position ids, precision, container: as `convert`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from kanna.dtypes import DType
from kanna.families.blocks import VAE, blocks_of
from kanna.merging.graph import Graph
from kanna.merging.recipe import Recipe, Weight
from kanna.merging.recipe_check import check
from kanna.merging.terms import Term, as_output
from kanna.merging.weights import Weights
from kanna.ops import merge_notes
from kanna.ops.convert import ConvertOptions, EmaMode, IdMode, finished
from kanna.ops.merge_checks import Wide
from kanna.ops.merge_gather import Gathered, gather
from kanna.ops.merge_inputs import Opened, Parts, parts_of
from kanna.ops.merge_scope import vae_is_merged
from kanna.ops.vae import Baked
from kanna.plan import Output, Plan, WriteContainer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MergePlan:
    """The plan of a merge, and what it does with every tensor of the leading model.

    `merged` is how many it makes anew; `kept` counts the others of the output, by reason, and
    `dropped` is how many are left out. `tables` are the numbers by block of every parameter that
    has several, by ``step.parameter``. `baked` is the VAE to be proved, `wide` the first layer of
    which only some channels were merged. `tags` are words for the output's name.
    """

    plan: Plan
    parts: Parts
    merged: int
    kept: Mapping[str, int]
    dropped: int
    tags: tuple[str, ...] = ()
    tables: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    baked: Baked | None = None
    wide: Wide | None = None


def merge(
    recipe: Recipe,
    sources: Mapping[str, Opened],
    *,
    container: WriteContainer | None = None,
    device: str = "cpu",
    digest: bool = True,
) -> MergePlan:
    """Return the plan that makes the output of `recipe`; `sources` has an open file for each name.

    Raises:
        UsageError: the recipe makes no sense.
        Incomplete: a model lacks tensors.
        Incompatible: two models cannot be merged, or one cannot be read for it.
        MissingExtra: a step needs torch, or a GGUF the ``gguf`` package.
    """
    check(recipe)
    who, options = parts_of(recipe), _options(recipe, container, digest=digest)
    models = gather(recipe, sources, who, options)
    draft = models.draft
    weights = Weights(blocks_of(models.lead.model, models.lead.identity))
    graph = Graph(
        recipe, models.tensors(who.lead), weights, loras=models.loras, device=device,
        measured_names=_measured(models),
    )  # fmt: skip
    merged = _put_sums(models, graph, who.output, compat=recipe.compat is not None)
    merge_notes.tell(models, recipe, sources)
    draft.notes += weights.notes
    there = set(draft.outputs)
    vae = sources[who.vae] if who.vae else None
    step = {"verb": "merge", **merge_notes.record(recipe, sources)}
    made = finished(draft, options, (vae.model, vae.identity) if vae else None, step)
    written = {output.name for output in made.plan.outputs}
    return MergePlan(
        plan=replace(made.plan, measurements=graph.measurements), parts=who, merged=merged,
        kept=_kept(models, merged, written, baked=made.baked is not None),
        dropped=len(there - written),
        tags=(*_methods(recipe), *made.tags), tables=_tables(recipe, weights, models),
        baked=made.baked,
        wide=next((met.wide for met in models.others.values() if met.wide), None),
    )  # fmt: skip


def _options(recipe: Recipe, container: WriteContainer | None, *, digest: bool) -> ConvertOptions:
    """Return what `convert` is asked for of the leading model with its new weights."""
    wish = recipe.output
    ema: EmaMode = wish.ema  # type: ignore[assignment]  # `check` has seen these words
    ids: IdMode = wish.position_ids  # type: ignore[assignment]
    return ConvertOptions(
        container=container, dtype=wish.dtype, dtypes=wish.dtypes, ema=ema, prune=wish.prune,
        position_ids=ids, digest=digest,
    )  # fmt: skip


def _put_sums(models: Gathered, graph: Graph, output: str, *, compat: bool) -> int:
    """Put the sums in place of the weights that they replace; return how many changed.

    A sum is rounded once, to the dtype of the weight; in compatibility to that of its last step.
    """
    draft, changed = models.draft, 0
    for name in models.scope.merged:
        tensor = draft.model[name]
        terms = graph.sum_of(output, name) or (Term(tensor),)
        dtype = models.halves.get(name, tensor.dtype)
        if compat and name not in models.halves and name != _wide_name(models):
            dtype = terms[0].tensor.dtype
        draft.outputs[name] = as_output(name, terms, dtype, tensor.shape)
        draft.fixed.discard(name)
        changed += terms != (Term(tensor),)
    for name, dtype in models.halves.items():
        draft.outputs[name] = _in(draft.outputs[name], dtype)
    return changed


def _measured(models: Gathered) -> list[str]:
    """Return the weights that methods measure first: not a VAE's, but of VAEs by themselves."""
    merged, roles = models.scope.merged, models.draft.roles
    return [name for name in merged if roles.get(name) != "vae"] or list(merged)


def _methods(recipe: Recipe) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.method for step in recipe.steps))


def _in(output: Output, dtype: DType) -> Output:
    """Return an output in `dtype`, whatever makes it."""
    return output if output.dtype is dtype else Output.of(output.inputs[0], dtype=dtype)


def _tables(recipe: Recipe, weights: Weights, models: Gathered) -> dict[str, Mapping[str, float]]:
    """Return the numbers by block of every weight that has several, without blocks that stay."""
    with_vae = vae_is_merged(models.lead.identity, recipe)
    named: dict[str, Weight] = {}
    for step in recipe.steps:
        for name, value in step.parameters.items():
            several = value if isinstance(value, tuple) else (value,)
            for number, one in enumerate(several, start=1):
                if isinstance(one, Weight) and (one.blocks or one.elements):
                    path = f"{step.name}.{name}"
                    named[path if several == (value,) else f"{path}.{number}"] = one
    return {
        path: {w: n for w, n in weights.table(weight).items() if w != VAE or with_vae}
        for path, weight in named.items()
    }


def _wide_name(models: Gathered) -> str | None:
    return next((met.wide.name for met in models.others.values() if met.wide), None)


def _kept(
    models: Gathered, merged: int, written: AbstractSet[str], *, baked: bool
) -> dict[str, int]:
    """Return how many tensors of the output are not merged, by reason.

    With `baked` its VAE is that of another file, whether the lead has one or not.
    """
    merged_names, of_vae = set(models.scope.merged), "baked" if baked else "vae"
    reasons = (models.scope.kept.get(name, "vae") for name in written if name not in merged_names)
    counts = Counter(of_vae if why == "vae" else why for why in reasons)
    alone = len(models.scope.merged) - merged
    return {**counts, **({"alone": alone} if alone else {})}
