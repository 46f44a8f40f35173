"""The models of a merge, checked against each other, under the names of the leading one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kanna.dtypes import DType
from kanna.errors import Incompatible
from kanna.identity import Part
from kanna.lora.baking import Baked, baked
from kanna.merging.graph import Delta
from kanna.merging.recipe import Recipe
from kanna.model import TensorInfo
from kanna.ops.aligning import Aligned, aligned, pairs
from kanna.ops.convert import ConvertOptions, to_be_decoded
from kanna.ops.draft import Draft
from kanna.ops.merge_checks import Wide, check_kind, check_pair, check_tensors, check_vae
from kanna.ops.merge_inputs import Opened, Parts, as_checkpoint, plain
from kanna.ops.merge_scope import Scope, scope_of, vae_is_merged
from kanna.ops.quantize_part import half_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Met:
    """A model beside the leading one: its plain file, its tensors, which parts were decoded.

    `wide` is the leading model's first layer where it reads more channels than this model's.
    """

    opened: Opened
    found: Aligned
    decoded: tuple[Part, ...]
    wide: Wide | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """All models of a merge, ready to be summed.

    `draft` is the leading model as it stands, in plain numbers where it is merged; `decoded` are
    its parts that were not, and `halves` the dtype that each such tensor gets.
    """

    lead: Opened
    draft: Draft
    scope: Scope
    others: Mapping[str, Met]
    loras: Mapping[str, Mapping[str, Delta]]
    decoded: tuple[Part, ...]
    halves: Mapping[str, DType]

    def tensors(self, lead: str) -> dict[str, Mapping[str, TensorInfo]]:
        """Return the tensors of each model by the names of the leading one, called `lead`."""
        return {lead: self.draft.model, **{n: met.found.tensors for n, met in self.others.items()}}


def gather(
    recipe: Recipe, sources: Mapping[str, Opened], who: Parts, options: ConvertOptions
) -> Gathered:
    """Return the models of `recipe` under the names of the one that leads.

    Raises:
        Incomplete: a model lacks tensors.
        Incompatible: two models cannot be merged, or one cannot be read for it.
        MissingExtra: it takes the ``gguf`` package to read one.
    """
    for name in who.models:
        check_kind(sources[name].model, sources[name].identity)
    before = as_checkpoint(sources[who.lead])
    others = {name: sources[name] for name in who.models if name != who.lead}
    with_vae, ours = vae_is_merged(before.identity, recipe), (before.model, before.identity)
    for other in others.values():
        check_pair(ours, (other.model, other.identity), with_vae=with_vae)
    lead, decoded = plain(before, list(_to_decode(before, others, who, options, with_vae=with_vae)))
    draft = Draft.of(lead.model, lead.identity)
    scope = scope_of(draft, recipe)
    met = {n: _meet(lead, one, scope, recipe, with_vae=with_vae) for n, one in others.items()}
    draft.inputs += [one.opened.model for one in met.values()]
    draft.inputs += [sources[name].model for name in who.loras]
    added = {name: _added(recipe, name, sources[name], lead) for name in who.loras}
    draft.notes += [note for one in added.values() for note in one.notes]
    return Gathered(
        lead=lead, draft=draft, scope=scope, others=met, decoded=tuple(decoded),
        loras={name: one.deltas for name, one in added.items()},
        halves=_halves(before, lead, decoded),
    )  # fmt: skip


def _to_decode(
    lead: Opened,
    others: Mapping[str, Opened],
    who: Parts,
    options: ConvertOptions,
    *,
    with_vae: bool,
) -> Iterator[Part]:
    """Yield the parts of the lead whose numbers are needed: to be merged, or to be cast."""
    cast = to_be_decoded(lead.model, lead.identity, options)
    met = {id(pair.lead) for one in others.values() for pair in pairs(lead.identity, one.identity)}
    alone = not others or bool(who.loras)
    for part in lead.identity.parts:
        merged = (alone or id(part) in met) and (with_vae or part.role != "vae")
        if merged or part in cast:
            yield part


def _meet(lead: Opened, other: Opened, scope: Scope, recipe: Recipe, *, with_vae: bool) -> Met:
    """Bring one model under the names of the lead.

    Raises:
        Incompatible: it does not fit, or tensors are missing and the recipe refuses that.
    """
    needed = [
        pair.other
        for pair in pairs(lead.identity, other.identity)
        if with_vae or pair.other.role != "vae"
    ]
    read, decoded = plain(other, needed)
    found = aligned((lead.model, lead.identity), (read.model, read.identity))
    if with_vae:
        for pair in found.pairs:
            if pair.lead.role == "vae":
                check_vae(pair, lead.model, read.model)
    wide = check_tensors(lead.model, read.model, found, scope.merged)
    if recipe.output.missing == "refuse":
        _refuse_missing(lead, read, found, scope)
    return Met(opened=read, found=found, decoded=tuple(decoded), wide=wide)


def _refuse_missing(lead: Opened, other: Opened, found: Aligned, scope: Scope) -> None:
    lacking = [name for name in scope.merged if name not in found.tensors]
    for key, names in (("merge.lacking", lacking), ("merge.strange", found.strangers)):
        if names:
            raise Incompatible(key, path=other.model.path, lead=lead.model.path.name,
                               count=len(names), name=names[0])  # fmt: skip


def _halves(before: Opened, lead: Opened, decoded: Iterable[Part]) -> dict[str, DType]:
    """Return the dtype of each tensor that was quantised: the 16 bits that its model takes."""
    return {
        name: half_of(part)
        for part in decoded
        for name in part.names
        if name in lead.model and lead.model[name] is not before.model[name]
    }


def _added(recipe: Recipe, name: str, lora: Opened, lead: Opened) -> Baked:
    """Return what the LoRA called `name` adds to the weights of the lead."""
    skips = any(
        step.parameters.get("skip_unknown") is True for step in recipe.steps if name in step.loras
    )
    return baked(lora.model, lora.identity, lead.model, lead.identity, skip_unknown=skips)
