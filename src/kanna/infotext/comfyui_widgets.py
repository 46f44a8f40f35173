"""The values of drawn nodes, which have no names there: `widgets_values` of the workflow.

Names come from the table, else from the inputs of the node that can be values, too. The node of a
subgraph lists whose its values are: its own inputs', or those of nodes within.
Sources: Comfy-Org/ComfyUI_frontend src/core/graph/subgraph, src/scripts/app.ts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kanna.infotext.comfyui_graph import unwrapped
from kanna.infotext.comfyui_nodes import node_table
from kanna.infotext.json_text import Path
from kanna.infotext.values import list_of, object_of

_OWN: Final = "-1"  # instead of an inner node: the subgraph's own input
_INNER: Final = "\0inner"  # a value that is an inner node's
_AFTER_SEED: Final = ("fixed", "increment", "decrement", "randomize")
_SEEDS: Final = frozenset({"seed", "noise_seed", "value"})


def widget_values(
    kind: str, raw: Mapping[str, Any], path: Path
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return the values of a node by name, and where they are."""
    drawn = raw.get("widgets_values")
    if isinstance(drawn, dict):
        names = [name for name in drawn if isinstance(name, str)]
        return {n: drawn[n] for n in names}, {n: (*path, "widgets_values", n) for n in names}
    found = {
        name: unwrapped(value, (*path, "widgets_values", number))
        for name, number, value in _named(_widgets(kind, raw), list_of(drawn))
    }
    return (
        {name: value for name, (value, _) in found.items()},
        {name: place for name, (_, place) in found.items()},
    )


def _widgets(kind: str, raw: Mapping[str, Any]) -> list[str]:
    known = node_table().row(kind).widgets
    if known is not None:
        return list(known)
    proxies = _proxies(raw)
    if proxies is not None:
        return [name if node == _OWN else _INNER for node, name in proxies]
    inputs = map(object_of, list_of(raw.get("inputs")))
    named = (object_of(one.get("widget")).get("name") for one in inputs)
    return [name for name in named if isinstance(name, str)]


def _named(names: list[str], values: list[Any]) -> Iterator[tuple[str, int, Any]]:
    """Yield name, number and value of each; what is to become of a seed has no name."""
    left = iter(names)
    last = ""
    for number, value in enumerate(values):
        if isinstance(value, dict) and isinstance(value.get("lora"), str):
            yield f"lora_{number}", number, value
        elif not (last in _SEEDS and (value is None or value in _AFTER_SEED)):
            last = next(left, "")
            if last and last != _INNER:
                yield last, number, value


def _proxies(raw: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """Return what the values of a subgraph's node are: inner node, or -1, and name."""
    said = object_of(raw.get("properties")).get("proxyWidgets")
    if not isinstance(said, list):
        return None
    pairs = ([str(word) for word in list_of(one)[:2]] for one in said)
    return [(one[0], one[1]) if len(one) == 2 else ("", "") for one in pairs]


def inner_values(raw: Mapping[str, Any], path: Path) -> dict[tuple[str, str], tuple[Any, Path]]:
    """Return the values of a subgraph's node that are those of its inner nodes."""
    values = list_of(raw.get("widgets_values"))
    return {
        key: (value, (*path, "widgets_values", number))
        for number, (key, value) in enumerate(zip(_proxies(raw) or (), values, strict=False))
        if key[0] != _OWN
    }
