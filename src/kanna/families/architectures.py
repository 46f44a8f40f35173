"""Every architecture that the tables know: what its files can be, and how old it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from kanna.families import tables
from kanna.families.pages import about
from kanna.families.rows import BY_LAYERS, make_choices


@cache
def kinds() -> Mapping[str, tuple[str, ...]]:
    """Return every architecture with the roles that its files can play, in the tables' order."""
    found: dict[str, dict[str, None]] = {}
    for raw in tables()["components"]:
        for word in architectures_of(raw):
            found.setdefault(word, {})[raw["role"]] = None
    order = tables()["everywhere"]["kinds"]
    return {word: tuple(kind for kind in order if kind in roles) for word, roles in found.items()}


def by_age(names: Iterable[str]) -> list[str]:
    """Return the names of families, oldest first, those without a date last."""
    pages = {name: about(name) for name in names}
    dates = {name: (page.facts.released if page else None) or "~" for name, page in pages.items()}
    return sorted(dates, key=lambda name: (dates[name], name))


def architectures_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every architecture that a raw component can turn out to be."""
    document = tables()
    if "architecture" in raw:
        return (str(raw["architecture"]),)
    if "architectures" in raw:
        return tuple(raw["architectures"])
    judge = raw.get("architectures_by")
    if judge == BY_LAYERS:
        return _bases()
    choices = raw.get("architecture_rows") or document["choices"].get(judge, {}).get("row", ())
    widths = tuple(raw.get("widths", {}).values())
    if choices or widths:
        return (*(word for choice in make_choices(choices) for word in choice.names), *widths)
    return () if document["families"][raw["family"]].get("mixed") else (str(raw["family"]),)


@cache
def _bases() -> tuple[str, ...]:
    """Return every model whose layers the tables know, so that adapters of it are told."""
    document = tables()
    rows = [row for row in document["components"] if row["role"] == "diffusion_model"]
    listed = [word for row in rows if "keys" in row for word in architectures_of(row)]
    every = [row for table in document["families"].values() for row in table.get("bases", ())]
    written = [row["architecture"] for row in every if "role" not in row]
    return tuple(dict.fromkeys([*listed, *written]))
