"""The layers of a part of a model, under the names that any layout has for them.

What is one layer in one layout can be some rows of a tensor in another (queries of a fused
projection), or several tensors: the tables of ``families/names`` say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from kanna.errors import Incompatible
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


def places_of(identity: Identity) -> tuple[Place, ...]:
    """Return the parts of a model that adapters can change."""
    parts = [part for part in identity.parts if part.role in {DIFFUSION, ENCODER}]
    return tuple(_place(part) for part in parts)


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


def stem_of(name: str) -> str:
    """Return the path of the layer that the tensor `name` is a part of."""
    ends = (*_WEIGHTS, _BIAS)
    return next((name.removesuffix(end) for end in ends if name.endswith(end)), name)
