"""What models look like: the tables, and their rows as values, made when they are first needed.

::

    families ─ loading     the TOML files, ours and the user's, parsed once and kept as JSON
             │   ├ keys          folded key lists: one line for many tensors
             │   └ schema        what a table may say: a user's is held to it when it is read
             ├ rows        families, components and choices as values
             ├ layers      the layers of a model, as adapters name them
             ├ key_maps    what a tensor is called in another layout
             │   ├ name_tables   which table a part needs
             │   │   └ name_rows      rows: folded patterns, side by side
             │   └ links         which tensors become which, joined or cut apart
             │       └ unet_blocks    the blocks of a UNet, read off its tensors
             ├ blocks      the blocks of a file, for weights and comparisons
             │   └ block_places  where each tensor is: its path, the words of its block
             │       └ block_maps    how blocks are counted, by architecture
             ├ old_names   names that not every program reads
             ├ schedule    the noise schedule that models are trained with
             ├ configs     the config beside a model
             ├ pipelines   diffusers folders: components, configs, schedulers
             │   └ shape_rules   numbers of a config, read off names and shapes
             └ dossier     all of a family, for one page
                 ├ architectures  every architecture: what its files can be, how old it is
                 ├ pages          what people look up: numbers, licence, variants
                 ├ traits         how a header tells variants apart
                 └ needs          the parts that a family needs, and who shares them
                     └ places         where people get and keep them
    words      what a word that somebody types can mean

The values and tables here are enough to recognise a file; what only people read is imported by
those who show it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from kanna.families.loading import load_tables
from kanna.families.rows import Choice, Component, Family, make_component, make_family

__all__ = [
    "Choice", "Component", "Family", "component", "family", "index", "row_called", "tables",
    "title", "vocabulary",
]  # fmt: skip


@cache
def tables() -> dict[str, Any]:
    """Return all tables as one raw document.

    Raises:
        FormatError: a user's table cannot be read, or something in it is wrong.
    """
    return load_tables()


@cache
def index() -> dict[str, list[list[Any]]]:
    """Map every name that recognition looks for to ``[component, slot, shape rule]`` rows."""
    names: dict[str, list[list[Any]]] = {}
    for rows, listed in tables()["index"]:
        names.update(dict.fromkeys(listed.split("\n"), rows))
    return names


@cache
def family(name: str) -> Family | None:
    """Return the family called `name`, or None where only signatures of it are known."""
    raw = tables()["families"].get(name)
    return None if raw is None else make_family(name, raw)


def title(architecture: str) -> str:
    """Return the name that people use for an architecture."""
    known = family(architecture)
    return known.title if known else architecture


@cache
def component(number: int) -> Component:
    """Return row `number` of all components, its key lists expanded."""
    return make_component(tables()["components"][number], tables())


def row_called(row_id: str) -> Component:
    """Return the component with the id `row_id`.

    Raises:
        StopIteration: there is none.
    """
    rows = tables()["components"]
    return component(next(n for n, row in enumerate(rows) if row["id"] == row_id))


def vocabulary() -> dict[str, set[str]]:
    """Return every word that an identity can hold, by field: what messages must have names for.

    The fields are ``role``, ``kind``, ``task``, ``layout`` and ``quantization``.
    """
    document = tables()
    everywhere = document["everywhere"]
    quantised = (*everywhere["quantization"], *everywhere["quantization_by_dtype"])
    parted = (row["layout"] for row in document["components"] if "layout" in row)
    return {
        "role": set(everywhere["order"]),
        "kind": {*everywhere["kinds"], "checkpoint", "unknown"},
        "task": set(everywhere["tasks"]),
        "layout": {*parted, *(row["name"] for row in everywhere["layout"])},
        "quantization": {row["name"] for row in quantised if "name" in row},
    }
