"""One model's tensors under the names of another: parts matched by what they are, not by prefix.

A part is matched by its role and its kind (``diffusion_model``, ``clip-l``, ``vae``), so that a
bare UNet meets the UNet of a checkpoint. Another layout is brought to that of the leading model by
the tables of names, and old spellings of either side get their standard form in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kanna.errors import Incompatible
from kanna.families import tables
from kanna.families.key_maps import layouts_of, table_of
from kanna.families.old_names import standard_layout, standard_names
from kanna.identity import Identity, Part
from kanna.messages import say
from kanna.model import ModelFile, TensorInfo
from kanna.ops.relayout import relayout
from kanna.views import renamed, reshaped

# Parts of which a file can have several, told apart by their kinds.
_OF_MANY_KINDS = ("text_encoder", "clip_vision")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A part of the leading model, and the part of another model that it is merged with."""

    lead: Part
    other: Part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aligned:
    """The tensors of a model by the names that the leading model has for them.

    `strangers` are names that the leading model has no place for, within `pairs`; `alone` are parts
    of either model that the other lacks.
    """

    tensors: Mapping[str, TensorInfo]
    pairs: tuple[Pair, ...]
    strangers: tuple[str, ...]
    alone: tuple[Part, ...]


def aligned(lead: tuple[ModelFile, Identity], other: tuple[ModelFile, Identity]) -> Aligned:
    """Return the tensors of `other` under the names of `lead`, as views in the shapes of `lead`.

    Parts that are quantised must have been decoded. Of models of which nothing is known, tensors of
    the same name are matched.

    Raises:
        Incompatible: no table leads from the layout of a part to that of the leading model.
    """
    matched = tuple(pairs(lead[1], other[1]))
    if not lead[1].parts and not other[1].parts:
        same = {name: tensor for name, tensor in other[0].items() if name in lead[0]}
        more = tuple(name for name in other[0] if name not in lead[0])
        return Aligned(tensors=_shaped(same, lead[0]), pairs=(), strangers=more, alone=())
    tensors: dict[str, TensorInfo] = {}
    strangers: list[str] = []
    for pair in matched:
        found, left = _of_part(pair, lead[0], other[0])
        tensors |= found
        strangers += left
    ids = tuple(tables()["everywhere"]["position_ids"])
    met = {id(part) for pair in matched for part in (pair.lead, pair.other)}
    return Aligned(
        tensors=_shaped(tensors, lead[0]), pairs=matched,
        strangers=tuple(name for name in strangers if not name.endswith(ids)),
        alone=tuple(p for one in (lead, other) for p in one[1].parts if id(p) not in met),
    )  # fmt: skip


def pairs(lead: Identity, other: Identity) -> Iterable[Pair]:
    """Yield the parts that both have; each is taken once."""
    free = [part for part in other.parts if part.names]
    for part in lead.parts:
        met = next((one for one in free if part.names and alike(part, one)), None)
        if met is not None:
            free.remove(met)
            yield Pair(lead=part, other=met)


def alike(one: Part, other: Part) -> bool:
    """Whether two parts play the same role; of encoders, whether they may be of one kind."""
    if one.role != other.role:
        return False
    return one.role not in _OF_MANY_KINDS or not kinds(one).isdisjoint(kinds(other))


def kinds(part: Part) -> set[str | None]:
    """Return the kinds that an encoder may be of; nothing known is a kind of its own."""
    return {part.variant} if part.variant else set(part.variant_candidates) or {None}


def _of_part(
    pair: Pair, lead: ModelFile, other: ModelFile
) -> tuple[dict[str, TensorInfo], list[str]]:
    """Return the tensors of a part by the names of the lead, and names that it has no place for."""
    places = {standard: full for full, standard in _standard(pair.lead).items() if full in lead}
    given = {standard: other[full] for full, standard in _standard(pair.other).items()}
    turned = _in_layout(given, pair, other)
    found = {places[n]: renamed(one, places[n]) for n, one in turned.items() if n in places}
    return found, [name for name in turned if name not in places]


def _standard(part: Part) -> dict[str, str]:
    """Return what each full name of a part is called in standard spelling, without its prefix."""
    relative = {name: name[len(part.prefix) :] for name in part.names}
    new = standard_names(part.layout, relative.values())
    return {full: new.get(name, name) for full, name in relative.items()}


def _in_layout(
    tensors: Mapping[str, TensorInfo], pair: Pair, other: ModelFile
) -> Mapping[str, TensorInfo]:
    ours, theirs = standard_layout(pair.lead.layout), standard_layout(pair.other.layout)
    if ours == theirs or ours is None or theirs is None:
        return tensors
    table = table_of(replace(pair.other, layout=theirs))
    if table is None or ours not in layouts_of(table):
        raise Incompatible(
            "merge.layouts", path=other.path, part=say(f"inspect.part_{pair.lead.role}"),
            theirs=theirs, ours=ours,
        )  # fmt: skip
    made = relayout(tensors, table, source=theirs, target=ours)
    return made.tensors | {name: tensors[name] for name in made.unmapped}


def _shaped(tensors: Mapping[str, TensorInfo], lead: ModelFile) -> dict[str, TensorInfo]:
    """Return tensors in the shapes of the lead where only ones differ: a 1x1 convolution."""
    return {
        name: reshaped(tensor, lead[name].shape)
        if tensor.shape != lead[name].shape and _bare(tensor.shape) == _bare(lead[name].shape)
        else tensor
        for name, tensor in tensors.items()
    }


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    end = len(shape)
    while end and shape[end - 1] == 1:
        end -= 1
    return shape[:end]
