"""Layout to layout: what a tensor is called elsewhere, from the tables in ``families/names``."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from kanna.families import tables
from kanna.families.keys import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@cache
def key_map(model: str, *, source: str, target: str) -> Mapping[str, str]:
    """Return every name that `model` can have in the layout `source`, with its name in `target`.

    Names are relative to the model's prefix. A layout's older spellings are among the sources,
    never among the targets.

    Raises:
        KeyError: no such model, or it has no such layout.
    """
    table = tables()["names"][model]
    rows = table["row"]
    for layout in (source, target):
        if not any(layout in row for row in rows):
            raise KeyError(layout)
    names: dict[str, str] = {}
    for layout in (source, *table.get("reads_also", {}).get(source, ())):
        for row in rows:
            if layout in row and target in row:
                names |= zip(expand(row[layout]), expand(row[target]), strict=True)
    return MappingProxyType(names)


def standard_names(layout: str | None) -> Mapping[str, str]:
    """Return the standard name of every name in `layout`, where that is an old layout; else none.

    Names are relative to the model's prefix.
    """
    for model, table in tables()["names"].items():
        if layout in table.get("old", ()):
            return key_map(model, source=layout, target=table["standard"])
    return MappingProxyType({})


def renamed(names: Iterable[str], prefix: str, layout: str | None) -> dict[str, str]:
    """Return those of a part's full names that are old, each with its standard name.

    The part stands under `prefix`, in `layout`. What stands beside a known weight, such as its
    scale, goes with it.
    """
    standard = standard_names(layout)
    found = {}
    for name in names if standard else ():
        old = name[len(prefix) :]
        new = _standard(old, standard)
        # A prefix that ends with what the new name adds makes the name standard as it is.
        if new != old and not prefix.endswith(new.removesuffix(old)):
            found[name] = prefix + new
    return found


def _standard(name: str, names: Mapping[str, str]) -> str:
    if name in names:
        return names[name]
    module, _, last = name.rpartition(".")
    weight = names.get(f"{module}.weight")
    return weight.removesuffix("weight") + last if weight else name
