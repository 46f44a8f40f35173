"""Layout to layout: what a tensor is called elsewhere, from the tables in ``families/names``.

A table is for one model in all its layouts; `layout_map` says, for the tensors at hand, which of
them become which.
"""

from __future__ import annotations

from collections.abc import Iterable

from kanna.families.links import LayoutMap, Link, layout_map
from kanna.families.name_tables import PartLike, layouts_of, table_of

__all__ = ["LayoutMap", "Link", "PartLike", "key_map", "layout_map", "layouts_of", "table_of"]


def key_map(table: str, names: Iterable[str], *, source: str, target: str) -> dict[str, str]:
    """Return what each of `names` is called in `target`, where it is one tensor in both layouts.

    Raises:
        KeyError: no such table, or it has no such layout.
        Incompatible: see `layout_map`.
    """
    links = layout_map(table, names, source=source, target=target).links
    single = (link for link in links if len(link.sources) == len(link.targets))
    return {link.sources[0]: link.targets[0] for link in single}
