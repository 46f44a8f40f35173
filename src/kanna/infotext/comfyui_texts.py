"""Where a picture has graphs of ComfyUI, and where a drawn one shows a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kanna.errors import FormatError, Incompatible
from kanna.infotext.comfyui_graph import Graph, Link, prompt_graph
from kanna.infotext.comfyui_walk import Literal, Walk
from kanna.infotext.comfyui_workflow import workflow_graph
from kanna.infotext.flat_json import Found
from kanna.infotext.json_text import JsonText, Path
from kanna.infotext.places import JsonPlace, Texts
from kanna.infotext.values import object_of
from kanna.model import Note

_NAMED: Final = re.compile(r"\s*(prompt|workflow)\s*:\s*(?=\{)", re.IGNORECASE)


class Drawn(NamedTuple):
    """A graph and the text that has it; `kind` is prompt or workflow."""

    kind: str
    graph: Graph
    found: Found


def graphs_in(texts: Texts, notes: list[Note]) -> Iterator[Drawn]:
    """Yield the graphs of a picture, and take down what should be one and cannot be read."""
    for number, one in enumerate(texts):
        named = _NAMED.match(one.text)
        keyword = named[1].lower() if named else one.keyword.lower()
        start = named.end() if named else 0
        if one.text[start:].lstrip("\ufeff \t\r\n")[:1] != "{":
            continue
        try:
            found = Found(number, JsonText.parse(one.text, start))
        except FormatError:
            if keyword in {"prompt", "workflow"}:
                notes.append(Note("infotext_dialects.unreadable", {"name": keyword}))
            continue
        yield from _of_document(found)


def _of_document(found: Found) -> Iterator[Drawn]:
    """Yield the graphs of a document: it is one, or has them under their names."""
    document = found.document
    for kind, make in _MAKERS.items():
        if (graph := make(document)) is not None:
            yield Drawn(kind, graph, found)
            return
    for kind, make in _MAKERS.items():
        inner = object_of(document.get(kind))
        if inner and (graph := make(inner)) is not None:
            yield Drawn(kind, _under(graph, kind), found)


def _under(graph: Graph, key: str) -> Graph:
    return {
        one: replace(node, paths={name: (key, *path) for name, path in node.paths.items()})
        for one, node in graph.items()
    }


_MAKERS: Final[dict[str, Callable[[object], Graph | None]]] = {
    "prompt": prompt_graph,
    "workflow": workflow_graph,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPlace:
    """Where a drawn graph shows the value of an input; looked for only when it is to change."""

    text: int
    start: int
    value: Literal

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place, if it shows the same as what ran."""
        if value is None:
            raise Incompatible("infotext_dialects.not_removable", name=self.value.input)
        found = Found(self.text, JsonText.parse(texts[self.text].text, self.start))
        drawn = next((one for one in _of_document(found) if one.kind == "workflow"), None)
        for path in _shown_at(drawn.graph, self.value) if drawn else ():
            place = JsonPlace(text=self.text, path=path, start=self.start)
            texts = place.put(texts, value)
        return texts


def _shown_at(graph: Graph, value: Literal) -> Iterator[Path]:
    """Yield where a drawn graph has the value: at the node, and at a primitive that feeds it."""
    node = graph.get(value.node)
    if node is None:
        return
    path = node.paths.get(value.input)
    shown = node.inputs.get(value.input)
    if isinstance(shown, Link):
        source = Walk(graph).follow(shown)
        if isinstance(source, Literal) and source.value == value.value:
            at = graph[source.node].paths.get(source.input)
            yield from [] if at is None else [at]
    elif path is not None and shown == value.value:
        yield path
