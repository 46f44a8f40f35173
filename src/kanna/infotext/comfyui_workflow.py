"""The graph under ``workflow``, as it is drawn: values without names, links by number.

Nodes that are muted (mode 2) do not count; of one that is bypassed (mode 4) each output hands on
the first input of its type. Subgraphs are laid out flat, their nodes under ``12:3`` as in
``prompt``.
Sources: Comfy-Org/ComfyUI_frontend src/utils/executionUtil.ts, litegraph LGraph, Subgraph;
kijai/ComfyUI-KJNodes web/js/setgetnodes.js.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from kanna.infotext.comfyui_graph import MAX_NODES, Graph, Link, Node
from kanna.infotext.comfyui_widgets import inner_values, widget_values
from kanna.infotext.comfyui_wires import Wire, broadcast, wires
from kanna.infotext.json_text import Path
from kanna.infotext.values import list_of, object_of

_MUTED: Final = 2
_BYPASSED: Final = 4
_FROM_OUTSIDE: Final = -10  # what a link comes from that leads into a subgraph
_TO_OUTSIDE: Final = -20
_MAX_DEPTH: Final = 8  # of subgraphs within subgraphs


class _Sheet(NamedTuple):
    """The nodes of the workflow or of a subgraph: under which number and path, and how deep.

    `outer` is what a subgraph is given, by name; `set_outside` what its inner nodes are given, by
    node and name, each with the path of the value.
    """

    prefix: str
    drawn: Mapping[str, Any]
    wires: Mapping[int, Wire]
    broadcast: Mapping[tuple[str, int], Wire]
    path: Path = ()
    depth: int = 0
    outer: Mapping[str, Any] = MappingProxyType({})
    set_outside: Mapping[tuple[str, str], tuple[Any, Path]] = MappingProxyType({})


def workflow_graph(document: object) -> Graph | None:
    """Return the graph that a document under ``workflow`` is, None where it is none."""
    drawn = object_of(document)
    if not list_of(drawn.get("nodes")):
        return None
    subgraphs = list_of(object_of(drawn.get("definitions")).get("subgraphs"))
    sheets = [_Sheet("", drawn, wires(drawn), broadcast(drawn))]
    graph: dict[str, Node] = {}
    while sheets and len(graph) < MAX_NODES:
        sheet = sheets.pop()
        for number, raw in enumerate(list_of(sheet.drawn.get("nodes"))):
            node = object_of(raw)
            for made in _nodes(sheet, number, node, subgraphs, sheets):
                graph[made.id] = made
    return _with_named_links(graph)


def _nodes(
    sheet: _Sheet, number: int, raw: Mapping[str, Any], subgraphs: list[Any], sheets: list[_Sheet]
) -> Iterator[Node]:
    """Yield what a drawn node is in the graph; a subgraph adds a sheet, and ways there."""
    if raw.get("mode") == _MUTED or not isinstance(raw.get("type"), str):
        return
    node = _node(sheet, number, raw)
    inner = _definition(raw["type"], subgraphs)
    if raw.get("mode") == _BYPASSED:
        yield _bypassed(node, raw)
    elif inner is None:
        yield node
    elif sheet.depth < _MAX_DEPTH:
        place, definition = inner
        path: Path = ("definitions", "subgraphs", place)
        below = _Sheet(
            f"{node.id}:", definition, wires(definition), broadcast(definition), path,
            sheet.depth + 1, node.inputs, inner_values(raw, (*sheet.path, "nodes", number)),
        )  # fmt: skip
        sheets.append(below)
        yield from _doors(node, below)


def _definition(kind: str, subgraphs: list[Any]) -> tuple[int, Mapping[str, Any]] | None:
    for number, one in enumerate(subgraphs):
        if object_of(one).get("id") == kind:
            return number, object_of(one)
    return None


def _doors(node: Node, below: _Sheet) -> Iterator[Node]:
    """Yield the ways into a subgraph and out of it, as nodes that hand on."""
    names = tuple(_names(below.drawn.get("inputs")))
    given = {name: node.inputs[name] for name in names if name in node.inputs}
    door = f"{below.prefix}{_FROM_OUTSIDE}"
    yield Node(id=door, kind="", inputs=given, paths=node.paths, passes=names)
    outputs = {
        str(wire.target_slot): Link(f"{below.prefix}{wire.source}", wire.source_slot)
        for wire in below.wires.values()
        if wire.target == _TO_OUTSIDE
    }
    passes = tuple(map(str, range(len(list_of(below.drawn.get("outputs"))))))
    yield Node(id=node.id, kind="", inputs=outputs, passes=passes)


def _names(inputs: object) -> Iterator[str]:
    for one in list_of(inputs):
        name = object_of(one).get("name")
        yield name if isinstance(name, str) else ""


def _node(sheet: _Sheet, number: int, raw: Mapping[str, Any]) -> Node:
    path = (*sheet.path, "nodes", number)
    kind = raw["type"]
    values, places = widget_values(kind, raw, path)
    for (inner, key), (value, outside) in sheet.set_outside.items():
        if inner == str(raw.get("id")):
            values[key], places[key] = value, outside
    links = {}
    for slot, one in enumerate(list_of(raw.get("inputs"))):
        said = object_of(one)
        number_of_link, name = said.get("link"), said.get("name")
        wire = sheet.wires.get(number_of_link) if isinstance(number_of_link, int) else None
        wire = wire or sheet.broadcast.get((str(raw.get("id")), slot))
        if wire is not None:
            links[name if isinstance(name, str) else str(slot)] = wire
    linked = {
        name: Link(f"{sheet.prefix}{wire.source}", wire.source_slot)
        for name, wire in links.items()
        if wire.source != _FROM_OUTSIDE or _is_given(sheet, wire)
    }
    return Node(
        id=f"{sheet.prefix}{raw.get('id')}", kind=kind, inputs={**values, **linked}, paths=places
    )


def _is_given(sheet: _Sheet, wire: Wire) -> bool:
    """Whether the subgraph gets a value from outside there; else the inner one counts."""
    names = list(_names(sheet.drawn.get("inputs")))
    return 0 <= wire.source_slot < len(names) and names[wire.source_slot] in sheet.outer


def _bypassed(node: Node, raw: Mapping[str, Any]) -> Node:
    """Return a node of which each output is the first input of its type."""
    first: dict[object, str] = {}
    for one in map(object_of, list_of(raw.get("inputs"))):
        if isinstance(one.get("name"), str) and isinstance(one.get("type"), str):
            first.setdefault(one["type"], one["name"])
    outputs = (object_of(one).get("type") for one in list_of(raw.get("outputs")))
    passes = tuple(first.get(kind, "") if isinstance(kind, str) else "" for kind in outputs)
    return Node(id=node.id, kind="", inputs=node.links(), passes=passes)


def _with_named_links(graph: dict[str, Node]) -> Graph:
    """Join what is set under a name with where it is got (`SetNode`, `GetNode`)."""
    is_set = {
        _name_of(node): next(iter(node.links().values()), None)
        for node in graph.values()
        if node.kind == "SetNode"
    }
    for key, node in graph.items():
        link = is_set.get(_name_of(node)) if node.kind == "GetNode" else None
        if link is not None:
            graph[key] = Node(id=key, kind="", inputs={"0": link}, passes=("0",))
    return graph


def _name_of(node: Node) -> str:
    return str(node.inputs.get("Constant"))
