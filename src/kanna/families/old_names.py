"""Names that not every program reads, and the standard ones: the layouts that tables call old.

Every file that is checked is asked for old names, and few have any: the tables of names are read
for those only.
"""

from __future__ import annotations

from collections.abc import Iterable

from kanna.families import tables


def standard_names(layout: str | None, names: Iterable[str]) -> dict[str, str]:
    """Return the standard name of those of `names` that the table knows, if `layout` is an old one.

    Names are relative to the model's prefix.
    """
    if layout in tables()["old_layouts"]:
        from kanna.families.key_maps import key_map
        from kanna.families.name_tables import name_tables

        for name, table in name_tables().items():
            if layout in table.get("old", ()):
                return key_map(name, names, source=layout or "", target=table["standard"])
    return {}


def standard_layout(layout: str | None) -> str | None:
    """Return the layout whose names an old one becomes by `standard_names`; others as they are."""
    if layout in tables()["old_layouts"]:
        from kanna.families.name_tables import name_tables

        for table in name_tables().values():
            if layout in table.get("old", ()):
                return str(table["standard"])
    return layout


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
        new = standard.get(old, old)
        # A prefix that ends with what the new name adds makes the name standard as it is.
        if new != old and not prefix.endswith(new.removesuffix(old)):
            found[name] = prefix + new
    return found
