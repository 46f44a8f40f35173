"""Ways through ComfyUI's graph: from an input to the value or the node that it is.

Strangers draw these graphs, with cycles and doubled ways: each walk visits a node once, and all of
them together take no more steps than `_MAX_STEPS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from kanna.infotext.comfyui_graph import Graph, Link, Node
from kanna.infotext.comfyui_nodes import NodeRow, NodeTable, Word, node_table
from kanna.infotext.values import as_field, text_of

_MAX_STEPS: Final = 100_000
_MAX_WAY: Final = 500  # nodes that hand on, one behind the other
_SIZE: Final = re.compile(r"\b([0-9]{3,5}) ?[x×] ?([0-9]{3,5})\b")


class Literal(NamedTuple):
    """A value, and the input of a node that has it; no input where it is but a part of one."""

    value: Any
    node: str
    input: str


class Output(NamedTuple):
    """An output of a node that makes something."""

    node: Node
    slot: int


@dataclass(slots=True)
class Walk:
    """A graph that is walked, and the steps that are left."""

    graph: Graph
    table: NodeTable = field(default_factory=node_table)
    steps: int = _MAX_STEPS

    def row(self, node: Node) -> NodeRow:
        """Return what is known of a node's class."""
        return self.table.row(node.kind)

    def follow(self, link: Link) -> Output | Literal | None:
        """Return where a link leads, behind all nodes that only hand on."""
        for _ in range(_MAX_WAY):
            node = self.graph.get(link.node)
            self.steps -= 1
            if node is None or self.steps < 0:
                return None
            name = self._handed(node, link.slot)
            if name is None:
                return Output(node, link.slot)
            value = node.inputs.get(name)
            base = node.inputs.get(self.row(node).base)
            if value is None and isinstance(base, Link):
                link = Link(base.node, link.slot)
            elif isinstance(value, Link):
                link = value
            else:
                return None if value is None else Literal(value, node.id, name)
        return None

    def _handed(self, node: Node, slot: int) -> str | None:
        """Return the input that comes out of an output; None where the node makes it."""
        row = self.row(node)
        if row.choose is not None:
            chosen = row.choose.inputs.get(self._choice(node, row.choose.by), "")
            return chosen if chosen in node.inputs else next(iter(node.links()), "")
        passes = row.passes if node.passes is None else node.passes
        if passes == ("*",):
            return next(iter(node.links()), "")
        name = passes[slot] if 0 <= slot < len(passes) else ""
        return name if name or node.passes is not None else None

    def _choice(self, node: Node, name: str) -> str:
        """Return what a switch is set to: by a value of its own, or of the node before it."""
        value = node.inputs.get(name)
        if isinstance(value, Link):
            before = self.graph.get(value.node)
            inputs = before.inputs if before else {}
            names = (one for one in self.table.walking["values"] if one in inputs)
            value = inputs.get(next(names, ""))
        return str(value).lower()

    def value(self, node: Node, name: str) -> Literal | None:
        """Return the value of an input, however many nodes it comes through."""
        for _ in range(_MAX_WAY):
            value = node.inputs.get(name)
            if not isinstance(value, Link):
                return None if value is None else Literal(value, node.id, name)
            found = self.follow(value)
            if not isinstance(found, Output):
                return found
            node = found.node
            word = self.table.word_of(name)
            side = self._side(node, word) if word else None
            if side is not None:
                return side
            names = (name, *(word.inputs if word else ()), *self.table.walking["values"])
            name = next((one for one in names if one in node.inputs), "")
        return None

    def _side(self, node: Node, word: Word) -> Literal | None:
        """Return width or height where a node has both in one text, such as "832 x 1216"."""
        texts = (text_of(node.inputs.get(one)) for one in self.table.walking["sizes"])
        size = next((found for text in texts if text and (found := _SIZE.search(text))), None)
        if size is None or not word.side:
            return None
        swaps = any(node.inputs.get(one) == "On" for one in self.table.walking["swaps"])
        return Literal(int(size[3 - word.side if swaps else word.side]), node.id, "")

    def before(self, start: Node) -> list[Node]:
        """Return a node and all that it follows from, the nearest first."""
        queue, seen = [start], {start.id}
        for node in queue:  # it grows
            for name in self._taken(node):
                link = node.inputs.get(name)
                self.steps -= 1
                if isinstance(link, Link) and link.node not in seen and self.steps > 0:
                    seen.add(link.node)
                    queue += [self.graph[link.node]] if link.node in self.graph else []
        return queue

    def _taken(self, node: Node) -> Iterable[str]:
        """Return the inputs that matter: of a switch one, of a bypassed node what it hands on."""
        choose = self.row(node).choose
        if choose is not None:
            return [self._handed(node, 0) or ""]
        return node.inputs if node.passes is None else node.passes

    def upstream(
        self, start: Node, through: Iterable[str] | None, apart: Iterable[str] = ()
    ) -> Iterator[Node]:
        """Yield a node and those before it that make something, `through` some of its inputs."""
        queue, seen = [start], {start.id}
        wanted, unwanted = None if through is None else set(through), set(apart)
        for node in queue:  # it grows
            yield node
            for name, link in node.links().items():
                if (wanted is not None and name not in wanted) or name in unwanted:
                    continue
                found = self.follow(link)
                if isinstance(found, Output) and found.node.id not in seen:
                    seen.add(found.node.id)
                    queue.append(found.node)

    def word(self, start: Node, name: str) -> Literal | None:
        """Return the nearest value of a field of `GenerationInfo`, from a sampler upwards."""
        word = self.table.words[name]
        through = (*word.inputs, *word.through, *self.table.walking["bundles"])
        for node in self.upstream(start, through):
            if (side := self._side(node, word)) is not None:
                return side
            for one in word.inputs:
                found = self.value(node, one) if one in node.inputs else None
                if found is not None and as_field(name, found.value) is not None:
                    return found
        return None
