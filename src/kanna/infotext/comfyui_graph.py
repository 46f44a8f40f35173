"""ComfyUI's graph as values: nodes with inputs, each of which is a value or a link to an output.

The graph under ``prompt`` is what ran: numbers of nodes, their classes and inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from kanna.infotext.json_text import Path
from kanna.infotext.values import object_of

MAX_NODES: Final = 5_000


class Link(NamedTuple):
    """An output of a node."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node: its class, its inputs in their order, and where the document says those.

    `passes` stands in for what the table says of its class.
    """

    id: str
    kind: str
    inputs: Mapping[str, Any]
    paths: Mapping[str, Path] = field(default_factory=dict)
    passes: tuple[str, ...] | None = None

    def links(self) -> dict[str, Link]:
        """Return the inputs that are links."""
        return {name: one for name, one in self.inputs.items() if isinstance(one, Link)}


Graph: TypeAlias = Mapping[str, Node]


def prompt_graph(document: object, base: Path = ()) -> Graph | None:
    """Return the graph that a document under ``prompt`` is, None where it is none."""
    nodes = object_of(document)
    if len(nodes) > MAX_NODES:
        return None
    graph = {
        key: _node(key, node, nodes, base)
        for key, node in nodes.items()
        if isinstance(node, dict) and isinstance(node.get("class_type"), str)
    }
    return graph or None


def _node(key: str, node: Mapping[str, Any], nodes: Mapping[str, Any], base: Path) -> Node:
    found = {
        name: unwrapped(value, (*base, key, "inputs", name))
        for name, value in object_of(node.get("inputs")).items()
    }
    return Node(
        id=key,
        kind=node["class_type"],
        inputs={name: _input(value, nodes) for name, (value, _) in found.items()},
        paths={name: path for name, (_, path) in found.items()},
    )


def unwrapped(value: Any, path: Path) -> tuple[Any, Path]:
    """Return a value and where it is; pythongosssss's loaders wrap names with their pictures."""
    if isinstance(value, dict) and isinstance(value.get("content"), str):
        return value["content"], (*path, "content")
    return value, path


def _input(value: Any, nodes: Mapping[str, Any]) -> Any:
    """Return a link where it is one: the number of a node and that of its output."""
    if isinstance(value, list) and len(value) == 2:
        node, slot = value
        if isinstance(slot, int) and isinstance(node, str | int) and str(node) in nodes:
            return Link(str(node), int(slot))
    return value
