"""A lineage for other programs: Mermaid and Graphviz. Names in it are strangers' text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kanna.catalog.lineage import Lineage, LineageNode
from kanna.messages import shown


def mermaid(graph: Lineage) -> str:
    """Return the graph as Mermaid has it, parents above.

    Source of the syntax: mermaid.js.org/syntax/flowchart; entities are its escapes.
    """
    numbers = _numbers(graph)
    lines = ["graph TD"]
    for key, node in graph.nodes.items():
        text = "".join(c if c.isalnum() or c in " _-." else f"#{ord(c)};" for c in _label(node))
        shape = ('["', '"]') if node.kind == "file" else ('(["', '"])')
        lines.append(f"  n{numbers[key]}{shape[0]}{text}{shape[1]}")
    for edge in graph.edges.values():
        arrow = "-->" if edge.certainty == "certain" else "-.->"
        lines.append(f"  n{numbers[edge.parent]} {arrow}|{edge.relation}| n{numbers[edge.child]}")
    lines.append(f"  style n{numbers[graph.root]} stroke-width:3px")
    return "\n".join(lines) + "\n"


def dot(graph: Lineage) -> str:
    """Return the graph as Graphviz has it, parents above.

    Source of the syntax: graphviz.org/doc/info/lang.html.
    """
    numbers = _numbers(graph)
    lines = ["digraph lineage {", "  node [shape=box];"]
    for key, node in graph.nodes.items():
        text = _label(node).replace("\\", "\\\\").replace('"', '\\"')
        style = {"file": "solid", "published": "rounded", "name": "dashed"}[node.kind]
        width = 3 if key == graph.root else 1
        lines.append(f'  n{numbers[key]} [label="{text}", style={style}, penwidth={width}];')
    for edge in graph.edges.values():
        style = "solid" if edge.certainty == "certain" else "dashed"
        ends = f"n{numbers[edge.parent]} -> n{numbers[edge.child]}"
        lines.append(f'  {ends} [label="{edge.relation}", style={style}];')
    return "\n".join([*lines, "}"]) + "\n"


DRAWINGS: Final[Mapping[str, Callable[[Lineage], str]]] = {"mermaid": mermaid, "dot": dot}


def _numbers(graph: Lineage) -> dict[str, int]:
    return {key: number for number, key in enumerate(graph.nodes)}


def _label(node: LineageNode) -> str:
    return shown(node.name)
