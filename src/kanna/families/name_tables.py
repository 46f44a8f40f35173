"""The tables of ``families/names``: which there are, and which one a part needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from kanna.families import tables
from kanna.families.loading import load_names
from kanna.families.name_rows import NameRow, make_row, rows_of


class PartLike(Protocol):
    """What of a `kanna.identity.Part` says which table it needs."""

    @property
    def role(self) -> str:
        """What it is for, such as ``vae``."""

    @property
    def architecture(self) -> str | None:
        """Its architecture, where one is known."""

    @property
    def architecture_candidates(self) -> tuple[str, ...]:
        """Those that it may be of."""

    @property
    def variant(self) -> str | None:
        """Its variant, where one is known."""

    @property
    def layout(self) -> str | None:
        """The layout it is in."""

    @property
    def component(self) -> str:
        """The row of the tables that recognised it."""


@cache
def name_tables() -> dict[str, Any]:
    """Return the raw tables by name.

    Raises:
        FormatError: a user's table cannot be read, or something in it is wrong.
    """
    names: dict[str, Any] = load_names(tables()["stamp"])["names"]
    return names


@cache
def name_rows(table: str) -> list[NameRow]:
    """Return the rows of `table`, those of the table it is like behind its own.

    Raises:
        KeyError: there is no such table.
    """
    return rows_of(name_tables()[table], name_tables())


def table_of(part: PartLike) -> str | None:
    """Return the table that knows the names of `part` in its layout, or None.

    One that is for the part's own variant goes before one that is for all.
    """
    fitting = [
        name
        for name, table in name_tables().items()
        if _is_for(table, part) and part.layout in layouts_of(name)
    ]
    return min(fitting, key=lambda name: "variants" not in name_tables()[name], default=None)


def _is_for(table: Mapping[str, Any], part: PartLike) -> bool:
    if table["role"] != part.role:
        return False
    if "variants" in table and part.variant not in table["variants"]:
        return False
    if "components" in table:
        return part.component in table["components"]
    mine = {part.architecture, *part.architecture_candidates}
    return not mine.isdisjoint(table.get("architectures", ()))


def layouts_of(table: str) -> tuple[str, ...]:
    """Return the layouts between which `table` maps, older spellings aside.

    Raises:
        KeyError: there is no such table.
    """
    raw = name_tables()[table]
    spellings = {old for olds in raw.get("reads_also", {}).values() for old in olds}
    words = dict.fromkeys(layout for row in map(make_row, raw["row"]) for layout in row.sides)
    return tuple(word for word in words if word not in spellings)
