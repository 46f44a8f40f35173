"""The files of a comparison: what is quantised decoded, and all under the names of the first."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from kanna.engine.differences import Match
from kanna.errors import Incompatible
from kanna.families import title
from kanna.identity import Identity, Part
from kanna.model import ModelFile, TensorInfo
from kanna.ops.aligning import aligned
from kanna.ops.parts import MODEL
from kanna.quantizing.stored import dequantised, is_quantised
from kanna.views import renamed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """One file: `model` is the file as it is, `tensors` are its numbers.

    `decoded` names weights that the file holds quantised. `roles` says which part a tensor belongs
    to: that of its part, ``ema``, ``position_ids``, ``junk``, ``marker``, or ``other``.
    """

    model: ModelFile
    identity: Identity
    tensors: Mapping[str, TensorInfo]
    roles: Mapping[str, str]
    decoded: frozenset[str] = frozenset()


def side_of(model: ModelFile, identity: Identity) -> Side:
    """Return the file as the comparison sees it; what cannot be decoded stays as it is stored.

    Raises:
        FormatError: what stands beside a quantised weight is not what it must be.
        MissingExtra: it takes the ``gguf`` package to decode a weight.
    """
    plain = model
    if is_quantised(model, list(model)):
        with suppress(Incompatible):  # of such a scheme, equal or not is all that can be said
            plain = dequantised(model)
    decoded = frozenset(n for n, one in plain.items() if one is not model.get(n))
    return Side(model=model, identity=identity, tensors=plain.tensors, decoded=decoded,
                roles=_roles(identity, plain))  # fmt: skip


def _roles(identity: Identity, model: ModelFile) -> dict[str, str]:
    roles = dict.fromkeys(model, "other")
    roles |= {name: part.role for part in identity.parts for name in part.names}
    ema = identity.ema
    roles |= dict.fromkeys((*ema.pairs.values(), *ema.extra, *ema.unmatched), "ema")
    roles |= {name: "junk" for group in identity.junk for name in group.names}
    roles |= dict.fromkeys(identity.markers, "marker")
    roles |= dict.fromkeys((key.name for key in identity.position_ids.keys), "position_ids")
    return {name: role for name, role in roles.items() if name in model}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Misshapen:
    """A tensor that has another shape in each file."""

    name: str
    first: tuple[int, ...]
    second: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alignment:
    """What is compared, under the first file's names, in its order, and what stands in one only.

    `missing` are names that only the first file has, `extra` those that only the second one has.
    `relaid` are the roles of parts that the second file has in another layout.
    """

    matches: tuple[Match, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    misshapen: tuple[Misshapen, ...]
    relaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Named:
    """The tensors of a file under the names of another; `extra` are those that it has none for."""

    tensors: Mapping[str, TensorInfo]
    extra: tuple[str, ...]
    relaid: tuple[str, ...]


def align(first: Side, second: Side, candidates: tuple[Side, ...] = ()) -> Alignment:
    """Put `second` and the candidates beside `first`, tensor by tensor.

    Raises:
        Incompatible: one has nothing in common with the first.
    """
    named = [_checked(first, side) for side in (second, *candidates)]
    theirs, *others = named
    matches, misshapen = [], []
    for name, tensor in first.tensors.items():
        other = theirs.tensors.get(name)
        if other is None:
            continue
        if not _fit(tensor, other):
            misshapen.append(Misshapen(name=name, first=tensor.shape, second=other.shape))
            continue
        beside = (one.tensors.get(name) for one in others)
        fitting = tuple(one if one is not None and _fit(tensor, one) else None for one in beside)
        matches.append(Match(name=name, first=tensor, second=other, others=fitting))
    return Alignment(
        matches=tuple(matches),
        missing=tuple(name for name in first.tensors if name not in theirs.tensors),
        extra=theirs.extra,
        misshapen=tuple(misshapen),
        relaid=theirs.relaid,
    )


def _fit(first: TensorInfo, second: TensorInfo) -> bool:
    """Whether both have one shape; of what parts have in common, aligning has seen to that."""
    return first.shape == second.shape


def _checked(first: Side, second: Side) -> _Named:
    mine, theirs = first.identity.part(MODEL), second.identity.part(MODEL)
    if mine is not None and theirs is not None and _of_two_kinds(mine, theirs):
        raise Incompatible(
            "diff.architectures", path=second.model.path, other=first.model.path,
            mine=_title(mine), theirs=_title(theirs),
        )  # fmt: skip
    named = _named(first, second)
    found = named.tensors
    if not any(name in found and _fit(one, found[name]) for name, one in first.tensors.items()):
        raise Incompatible("diff.nothing", path=second.model.path, other=first.model.path)
    return named


def _of_two_kinds(mine: Part, theirs: Part) -> bool:
    return _architectures(mine).isdisjoint(_architectures(theirs))


def _architectures(part: Part) -> set[str | None]:
    return {part.architecture, *part.architecture_candidates} - {None} or {part.component}


def _title(part: Part) -> str:
    return title(next(iter(_architectures(part))) or part.role)


def _named(first: Side, second: Side) -> _Named:
    """Return the second file's tensors under the first one's names.

    Parts in the same role come first, then the averaged copies of them, then what is called alike.
    """
    plain = replace(first.model, tensors=first.tensors), first.identity
    other = replace(second.model, tensors=second.tensors), _present(second)
    found = aligned((plain[0], _present(first)), other)
    inside = {name for part in second.identity.parts for name in part.names}
    tensors = dict(found.tensors)
    taken: set[str] = set()
    for copy, theirs in _copies(first, second, found.tensors).items():
        tensors[copy] = renamed(second.tensors[theirs], copy)
        taken.add(theirs)
    for name, tensor in second.tensors.items():
        if name not in inside and name not in taken and name in first.tensors:
            tensors.setdefault(name, tensor)
            taken.add(name)
    outside = [name for name in second.tensors if name not in inside and name not in taken]
    alone = [name for part in found.alone if part in other[1].parts for name in part.names]
    relaid = [p.lead.role for p in found.pairs if p.lead.layout != p.other.layout]
    return _Named(tensors=tensors, extra=(*found.strangers, *alone, *outside),
                  relaid=tuple(dict.fromkeys(relaid)))  # fmt: skip


def _present(side: Side) -> Identity:
    """Return what the file is, with those names alone that are left when it is decoded."""
    if not side.decoded:
        return side.identity
    parts = (
        replace(part, names=tuple(name for name in part.names if name in side.tensors))
        for part in side.identity.parts
    )
    return replace(side.identity, parts=tuple(parts))


def _copies(first: Side, second: Side, found: Mapping[str, TensorInfo]) -> dict[str, str]:
    """Return the averaged copies that both have: the first one's name to the second one's.

    They are copies of the same tensor, as far as that is one tensor in both layouts.
    """
    own = {id(tensor.data): name for name, tensor in second.tensors.items()}
    copies = second.identity.ema.pairs
    pairs = {}
    for name, copy in first.identity.ema.pairs.items():
        theirs = copies.get(own.get(id(found[name].data), "")) if name in found else None
        if theirs is not None:
            pairs[copy] = theirs
    return pairs
