"""Which weights of a model a module changes, whatever names either of them uses.

Modules speak of layers in the names of some layout, with dots or with ``_``; the model at hand has
its tensors in one. The tables of ``families/names`` say which are which: what is one layer there
can be some rows of a tensor here (queries of a fused projection), or several tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kanna.errors import Incompatible
from kanna.families import family
from kanna.families.key_maps import Link, layout_map, layouts_of, table_of
from kanna.identity import Identity, Part
from kanna.lora.modules import DIFFUSION, Module, underscored

# Some of all rows of a tensor: from, to, out of so many equal shares.
Share = tuple[int, int, int]
WHOLE: Final[Share] = (0, 1, 1)
ENCODER: Final = "text_encoder"
# The ends of names that are a layer's weight, and its bias; what has neither is a layer by itself.
_WEIGHTS: Final = (".weight", ".scale")
_BIAS: Final = ".bias"


@dataclass(frozen=True, slots=True)
class Slot:
    """Some rows of a tensor of the model, `rows`, and which of the layer's rows they are, `of`.

    With `turned` the tensor is the layer's matrix, transposed.
    """

    tensor: str
    rows: Share = WHOLE
    of: Share = WHOLE
    turned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """One part of a model by the layers that modules may name.

    `word` is ``diffusion_model`` or the kind of a text encoder. `spellings` has for each layout,
    the model's own first, the slots of weights by their path (`Module.key`); `biases` those of
    biases.
    """

    word: str
    spellings: Mapping[str, Mapping[str, tuple[Slot, ...]]]
    biases: Mapping[str, Mapping[str, tuple[Slot, ...]]]

    def find(self, module: Module, layout: str | None = None) -> tuple[Slot, ...]:
        """Return the slots of the layer's weight; none where the part lacks the layer."""
        return _found(self.spellings, module.key, layout)

    def find_bias(self, module: Module, layout: str | None = None) -> tuple[Slot, ...]:
        """Return the slots of the layer's bias; none where there is none."""
        return _found(self.biases, module.key, layout)

    def layout_of(self, modules: Iterable[Module]) -> str | None:
        """Return the layout in which most of `modules` are spelled."""
        keys = [module.key for module in modules]
        counted = {
            layout: sum(key in known for key in keys) for layout, known in self.spellings.items()
        }
        return max(counted, key=lambda layout: counted[layout], default=None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """What one module changes: the slots of its layer's weight and bias in one part."""

    module: Module
    word: str
    weights: tuple[Slot, ...]
    biases: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """The modules with their targets; `homeless` are for a part that is not there at all.

    `lost` are those whose part has no such layer.
    """

    found: tuple[Target, ...]
    lost: tuple[Module, ...] = ()
    homeless: tuple[Module, ...] = ()


@dataclass(slots=True, eq=False)
class _Index:
    weights: dict[str, tuple[Slot, ...]] = field(default_factory=dict)
    biases: dict[str, tuple[Slot, ...]] = field(default_factory=dict)

    def add(self, name: str, slots: tuple[Slot, ...]) -> None:
        if name.endswith(_BIAS):
            self.biases.setdefault(underscored(name.removesuffix(_BIAS)), slots)
            return
        stem = next((name.removesuffix(end) for end in _WEIGHTS if name.endswith(end)), name)
        if name.endswith(_WEIGHTS[0]) or underscored(stem) not in self.weights:
            self.weights[underscored(stem)] = slots


def targets(modules: Sequence[Module], places: Sequence[Place], needs: Sequence[str]) -> Targets:
    """Return what each of `modules` changes in a model with these `places`.

    `needs` are the words of the parts that the architecture has, in order: its second text encoder
    is ``te2``.
    """
    found: list[Target] = []
    lost: list[Module] = []
    homeless: list[Module] = []
    for reach in dict.fromkeys(module.reach for module in modules):
        own = [module for module in modules if module.reach == reach]
        place = place_of(reach, places, needs)
        if place is None:
            homeless += own
            continue
        layout = place.layout_of(own)
        for module in own:
            weights, biases = place.find(module, layout), place.find_bias(module, layout)
            if weights or biases:
                found.append(Target(module=module, word=place.word, weights=weights, biases=biases))
            else:
                lost.append(module)
    return Targets(found=tuple(found), lost=tuple(lost), homeless=tuple(homeless))


def place_of(reach: str, places: Sequence[Place], needs: Sequence[str]) -> Place | None:
    """Return the part that `reach` speaks of, or None where the model has none of them."""
    word = part_word(reach, needs)
    if word is None:
        encoders = [place for place in places if place.word != DIFFUSION]
        return encoders[0] if len(encoders) == 1 else None
    return next((place for place in places if place.word == word), None)


def encoders_of(needs: Sequence[str]) -> list[str]:
    """Return the kinds of text encoders among the parts that an architecture needs, in order."""
    return [word for word in needs if word not in {DIFFUSION, "vae"}]


def part_word(reach: str, needs: Sequence[str]) -> str | None:
    """Return the part that `reach` means: of ``te``, ``te1``, ``te2`` … the kind of text encoder.

    FLUX's T5 is ``te3`` for kohya and ``te2`` for diffusers: what lies beyond the last is the last.
    """
    if reach == DIFFUSION:
        return DIFFUSION
    encoders = encoders_of(needs)
    number = int(reach.removeprefix("te") or 1)
    return encoders[min(number, len(encoders)) - 1] if encoders else None


def places_of(identity: Identity) -> tuple[Place, ...]:
    """Return the parts of a model that adapters can change."""
    parts = [part for part in identity.parts if part.role in {DIFFUSION, ENCODER}]
    return tuple(_place(part) for part in parts)


def needs_of(identity: Identity) -> tuple[str, ...]:
    """Return the words of the parts that the model's architecture has."""
    known = family(identity.architecture) if identity.architecture else None
    return known.needs if known else identity.needs or ()


def _place(part: Part) -> Place:
    names = {name.removeprefix(part.prefix): name for name in part.names}
    return place(word_of(part), names, table_of(part), part.layout)


def word_of(part: Part) -> str:
    """Return ``diffusion_model``, or the kind of text encoder that `part` is."""
    if part.role != ENCODER:
        return DIFFUSION
    return next((kind for kind in (part.variant, *part.variant_candidates) if kind), ENCODER)


def place(word: str, names: Mapping[str, str], table: str | None, layout: str | None) -> Place:
    """Return the part `word` with tensors of these `names` (relative: full), in `layout`.

    `table` is the one that knows its names in other layouts, where there is one.
    """
    own = _Index()
    for relative, name in names.items():
        own.add(relative, (Slot(name),))
    indices = {layout or "": own}
    for other in layouts_of(table) if table and layout else ():
        if other != layout and table and layout:
            indices[other] = _elsewhere(names, table, layout, other)
    return Place(
        word=word,
        spellings={name: index.weights for name, index in indices.items()},
        biases={name: index.biases for name, index in indices.items()},
    )


def _elsewhere(names: Mapping[str, str], table: str, source: str, target: str) -> _Index:
    """Return the slots by what the layers are called in another layout.

    A model of which parts are missing has no names there.
    """
    index = _Index()
    try:
        links = layout_map(table, names, source=source, target=target).links
    except Incompatible:
        return index
    for link in links:
        if link.beside is None:
            for name, slots in _slots(link, names):
                index.add(name, slots)
    return index


def _slots(link: Link, names: Mapping[str, str]) -> Iterator[tuple[str, tuple[Slot, ...]]]:
    tensors = [names[name] for name in link.sources]
    if len(link.targets) > 1:
        shares = _shares(link, len(link.targets))
        for name, share in zip(link.targets, shares, strict=True):
            yield name, (Slot(tensors[0], rows=share),)
    elif len(tensors) > 1:
        shares = _shares(link, len(tensors))
        pairs = zip(tensors, shares, strict=True)
        yield link.targets[0], tuple(Slot(tensor, of=share) for tensor, share in pairs)
    elif link.swap:
        yield (
            link.targets[0],
            (
                Slot(tensors[0], rows=(0, 1, 2), of=(1, 2, 2)),
                Slot(tensors[0], rows=(1, 2, 2), of=(0, 1, 2)),
            ),
        )
    else:
        yield link.targets[0], (Slot(tensors[0], turned=link.transpose),)


def _shares(link: Link, count: int) -> list[Share]:
    sizes = link.shares or (1,) * count
    total = sum(sizes)
    return [(sum(sizes[:at]), sum(sizes[: at + 1]), total) for at in range(count)]


def _found(
    spellings: Mapping[str, Mapping[str, tuple[Slot, ...]]], key: str, layout: str | None
) -> tuple[Slot, ...]:
    """Return what `key` is, in `layout` first."""
    known = [spellings[layout]] if layout is not None and layout in spellings else []
    for slots in (*known, *spellings.values()):
        if key in slots:
            return slots[key]
    return ()
