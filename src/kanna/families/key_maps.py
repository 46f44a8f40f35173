"""Layout to layout: what a tensor is called elsewhere, from the tables in ``families/names``.

A table is for one model in all its layouts; `layout_map` says, for the tensors at hand, which of
them become which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kanna.families import tables
from kanna.families.links import LayoutMap, Link, layout_map
from kanna.families.name_tables import PartLike, layouts_of, name_tables, table_of

__all__ = [
    "LayoutMap", "Link", "PartLike", "key_map", "layout_map", "layouts_of", "renamed",
    "standard_names", "table_of",
]  # fmt: skip


def key_map(table: str, names: Iterable[str], *, source: str, target: str) -> dict[str, str]:
    """Return what each of `names` is called in `target`, where it is one tensor in both layouts.

    Raises:
        KeyError: no such table, or it has no such layout.
        Incompatible: see `layout_map`.
    """
    links = layout_map(table, names, source=source, target=target).links
    single = (link for link in links if len(link.sources) == len(link.targets))
    return {link.sources[0]: link.targets[0] for link in single}


def standard_names(layout: str | None, names: Iterable[str]) -> dict[str, str]:
    """Return the standard name of those of `names` that the table knows, if `layout` is an old one.

    Names are relative to the model's prefix.
    """
    if layout in tables()["old_layouts"]:
        for name, table in name_tables().items():
            if layout in table.get("old", ()):
                return key_map(name, names, source=layout or "", target=table["standard"])
    return {}


def renamed(names: Iterable[str], prefix: str, layout: str | None) -> dict[str, str]:
    """Return those of a part's full names that are old, each with its standard name.

    The part stands under `prefix`, in `layout`. What stands beside a known weight, such as its
    scale, goes with it.
    """
    if layout not in tables()["old_layouts"]:
        return {}
    olds = {name: name[len(prefix) :] for name in names}
    standard = standard_names(layout, olds.values())
    found = {}
    for name, old in olds.items():
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
