"""Texts in ComfyUI's graph: those of inputs, and those that nodes join of several texts."""

from __future__ import annotations

from typing import Final, NamedTuple

from kanna.infotext.comfyui_graph import Link, Node
from kanna.infotext.comfyui_nodes import NodeRow
from kanna.infotext.comfyui_walk import Literal, Output, Walk
from kanna.infotext.values import list_of, object_of, text_of

_MAX_DEPTH: Final = 40  # of texts joined of joined texts
_MAX_TEXT: Final = 1_000_000  # characters of a joined text
_TEXT_PER_STEP: Final = 100


class Said(NamedTuple):
    """A text, and the inputs that it is made of."""

    text: str
    origins: tuple[Literal, ...]


def text_in(walk: Walk, node: Node, name: str, depth: int = 0) -> Said | None:
    """Return the text of an input, joined where nodes join it."""
    value = node.inputs.get(name)
    if isinstance(value, Link):
        found = walk.follow(value)
        if isinstance(found, Output):
            return _put_out(walk, found.node, depth + 1) if depth < _MAX_DEPTH else None
        if found is None:
            return None
        value, origin = found.value, found
    else:
        origin = Literal(value, node.id, name)
    text = text_of(value)
    return None if text is None else Said(text, (origin,))


def _put_out(walk: Walk, node: Node, depth: int) -> Said | None:
    """Return the text that a node puts out."""
    row = walk.row(node)
    if row.joins:
        return _joined(walk, node, row, depth)
    if row.listed:
        return _listed(node, row.listed)
    names = (*(row.texts or ()), *walk.table.walking["texts"], *walk.table.walking["values"])
    for name in names:
        if name in node.inputs and (found := text_in(walk, node, name, depth)) is not None:
            return found
    return None


def _joined(walk: Walk, node: Node, row: NodeRow, depth: int) -> Said | None:
    parts = [text_in(walk, node, name, depth) for name in row.joins]
    found = [part for part in parts if part is not None and part.text]
    between = text_in(walk, node, row.separator, depth) if row.separator else None
    separator = between.text if between else row.separator_text
    text = separator.join(part.text for part in found)
    walk.steps -= 10 + len(text) // _TEXT_PER_STEP
    if not found or len(text) > _MAX_TEXT:
        return None
    return Said(text, tuple(one for part in found for one in part.origins))


def _listed(node: Node, name: str) -> Said | None:
    """Return the words of a list that are switched on."""
    value = node.inputs.get(name)
    entries = list_of(object_of(value).get("__value__", value))
    words = (text_of(one.get("text")) for one in map(object_of, entries) if one.get("active", True))
    text = ", ".join(word for word in words if word)
    return Said(text, (Literal(text, node.id, ""),)) if text else None
