"""The layers of a model that is not at hand, in the layout that a dialect wants: from key lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from kanna.families import Component, component, tables
from kanna.families.key_maps import layout_map, table_of
from kanna.lora.dialects import Dialect
from kanna.lora.modules import DIFFUSION, Module
from kanna.lora.places import Place, place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """One part of a model by its layers, in `layout`; `table` knows its names in others."""

    place: Place
    layout: str | None
    table: str | None

    def knows(self, modules: Sequence[Module]) -> int:
        """Return how many of `modules` name a layer that it has."""
        layout = self.place.layout_of(modules)
        found = (self.place.find(one, layout) or self.place.find_bias(one, layout)
                 for one in modules)  # fmt: skip
        return sum(map(bool, found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A key list as `table_of` wants a part."""

    role: str
    architecture: str | None
    variant: str | None
    layout: str | None
    component: str
    architecture_candidates: tuple[str, ...] = ()


def reference(
    word: str, architecture: str, dialect: Dialect, modules: Sequence[Module]
) -> Reference | None:
    """Return the part `word` of `architecture` in the layout that `dialect` wants.

    Of several variants the first that knows most of `modules`; None where no key list knows any.
    """
    made = [_laid(number, word, architecture, dialect) for number in _numbers(word, architecture)]
    counted = [(one.knows(modules), one) for one in made]
    most, best = max(counted, key=lambda pair: pair[0], default=(0, None))
    return best if most else None


@cache
def _numbers(word: str, architecture: str) -> tuple[int, ...]:
    """Return the rows of the tables that list the layers of the part `word`."""
    return tuple(
        number
        for number, raw in enumerate(tables()["components"])
        if raw.get("keys") and _is_for(component(number), word, architecture)
    )


def _is_for(row: Component, word: str, architecture: str) -> bool:
    if word == DIFFUSION:
        known = (row.architecture, *row.architectures)
        return row.role == DIFFUSION and architecture in known
    return row.role == "text_encoder" and word in {*row.variants, *_chosen(row)}


def _chosen(row: Component) -> Iterator[str]:
    for choice in row.variant_choices:
        yield from choice.names


@cache
def _laid(number: int, word: str, architecture: str, dialect: Dialect) -> Reference:
    row = component(number)
    names = {name: name for name in (*row.required, *row.optional)}
    variants = (*row.variants, *_chosen(row))
    part = _Listed(
        role=row.role, architecture=architecture if word == DIFFUSION else None,
        variant=variants[0] if variants else None, layout=row.layout, component=row.id,
    )  # fmt: skip
    table = table_of(part)
    layout = dialect.layout_for(word, architecture, table) or row.layout
    if table and layout and row.layout and layout != row.layout:
        links = layout_map(table, names, source=row.layout, target=layout).links
        names = {name: name for link in links for name in link.targets}
    return Reference(place=place(word, names, table, layout), layout=layout, table=table)
