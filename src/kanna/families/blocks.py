"""The blocks of a model file: for each tensor the block it is in, as people who merge count them.

Block weights are given by block: ``IN04`` of a UNet, ``D07`` of FLUX. What a block is stands in the
maps (`kanna.families.block_maps`), by paths of the original layout; a model in another one has the
same blocks, because its names are looked up there first. Where there is no map, the numbered
segments of the names are the blocks: ``double_blocks.3``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from kanna.families.block_maps import BlockMap, Foreign, map_of, stem
from kanna.families.block_places import (
    BASE,
    VAE,
    PartOfFile,
    Place,
    in_order,
    is_numbered,
    places_of_mapped,
    places_of_numbered,
    places_of_whole,
)

__all__ = ["BASE", "VAE", "Blocks", "Foreign", "Place", "blocks_of"]

_MODEL = "diffusion_model"


class IdentityLike(Protocol):
    """What of a `kanna.identity.Identity` is needed here."""

    @property
    def parts(self) -> Sequence[PartOfFile]:
        """The models inside the file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """The blocks of a file, in order, and where each of its tensors is.

    `lists` are the lists of numbers that are understood, by their length: the words that the
    numbers are for. `fine` is the long one among them, whose words are `Place.fine`. `foreign` are
    lists that were made for another architecture. `depth` are the blocks from the way in to the way
    out, each with the words that go with it: presets are drawn along them.
    """

    names: tuple[str, ...]
    lists: Mapping[int, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    fine: tuple[str, ...] = ()
    foreign: Mapping[int, Foreign] = field(default_factory=lambda: MappingProxyType({}))
    depth: tuple[tuple[str, ...], ...] = ()
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))

    def place(self, name: str) -> Place | None:
        """Return where the tensor `name` is, or None if the file has none of that name."""
        return self.places.get(name)

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that a rule may name: the blocks, and narrower words of the tensors."""
        narrower = (word for place in self.places.values() for word in place.words)
        return tuple(dict.fromkeys((*self.names, *narrower)))


def blocks_of(model: Iterable[str], identity: IdentityLike) -> Blocks:
    """Return the blocks of `model` (its tensors' names), which `identity` describes."""
    lead = _leading(identity.parts)
    plan = map_of((lead.architecture, *lead.architecture_candidates)) if lead else None
    plan = plan if lead and lead.role == _MODEL else None
    places: dict[str, Place] = {}
    for part in identity.parts:
        if part is not lead:
            places |= places_of_whole(part, plan)
    made: dict[str, Place] = {}
    if lead:
        made = places_of_mapped(lead, plan) if plan else places_of_numbered(lead)
    places |= made
    for name in model:  # what is in no part goes with what is in no other block
        if name not in places:
            places[name] = Place(role="", architecture=None, path=name, words=(BASE,))
    if plan is not None:
        return _by_map(plan, made, places)
    return _by_number(made, places)


def _leading(parts: Sequence[PartOfFile]) -> PartOfFile | None:
    """Return the part whose blocks are told apart: the diffusion model, or one that is alone."""
    alone = parts[0] if len(parts) == 1 else None
    return next((part for part in parts if part.role == _MODEL), alone)


def _by_map(plan: BlockMap, made: Mapping[str, Place], places: Mapping[str, Place]) -> Blocks:
    highest = _highest(made.values())
    order = {stem(word): _counted(word, highest) for word in plan.order}
    lists = [
        tuple(word for letters in one for word in order.get(letters, (letters,)))
        for one in plan.lists
    ]
    usual = {len(one): one for one in lists if one}
    fine = plan.fine.order if plan.fine and plan.fine.beside in usual else ()
    return Blocks(
        names=tuple(word for words in order.values() for word in words),
        lists=usual | ({len(fine): fine} if fine else {}), fine=fine,
        foreign={len(one.words): one for one in plan.foreign if one.beside in usual},
        depth=_depth(plan, order), places=places,
    )  # fmt: skip


def _by_number(made: Mapping[str, Place], places: Mapping[str, Place]) -> Blocks:
    own = in_order(place.block for place in made.values())
    way = in_order(place.block for place in made.values() if place.role != "vae")
    words = {word for place in places.values() for word in place.words}
    usual = [word for word in (BASE, VAE) if word in words and word not in own]
    depth = tuple((block,) for block in way if is_numbered(block))
    return Blocks(names=(*own, *usual), depth=depth, places=places)


def _highest(places: Iterable[Place]) -> dict[str, int]:
    """Return the highest number that blocks of each letter have."""
    highest: dict[str, int] = {}
    for block in {place.block for place in places}:
        letters = block.rstrip("0123456789")
        if number := block[len(letters) :]:
            highest[letters] = max(int(number), highest.get(letters, 0))
    return highest


def _counted(word: str, highest: Mapping[str, int]) -> tuple[str, ...]:
    if "{" not in word:
        return (word,)
    return tuple(word.format(i=number) for number in range(highest.get(stem(word), -1) + 1))


def _depth(plan: BlockMap, order: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    steps: list[tuple[str, ...]] = [(word,) for letters in plan.depth for word in order[letters]]
    if steps and plan.start:
        steps[0] = (*steps[0], plan.start)
    if steps and plan.end:
        steps[-1] = (*steps[-1], plan.end)
    return tuple(steps)
