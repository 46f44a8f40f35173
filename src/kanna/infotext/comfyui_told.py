"""What a graph of ComfyUI that was walked says of the picture, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from kanna.infotext.comfyui_graph import Link, Node
from kanna.infotext.comfyui_said import Said
from kanna.infotext.comfyui_samplers import Samplers, prompts_of
from kanna.infotext.comfyui_texts import Drawn, DrawnPlace
from kanna.infotext.comfyui_walk import Literal, Walk
from kanna.infotext.info import Parameter
from kanna.infotext.places import JsonPlace, Place
from kanna.infotext.values import shown_value, text_of

_WORDS: Final = (
    "steps", "sampler", "scheduler", "cfg_scale", "distilled_cfg_scale", "seed", "width", "height",
    "denoising_strength",
)  # fmt: skip
_MAX_PAIRS: Final = 2000
_MAX_SHOWN: Final = 100_000  # characters of a value


@dataclass(frozen=True, slots=True)
class Told:
    """A graph that was walked: what it says of the picture."""

    walk: Walk
    samplers: Samplers
    chosen: Drawn
    beside: Drawn | None

    def words(self) -> dict[str, Literal]:
        """Return the settings of the main sampler, by fields of `GenerationInfo`."""
        main = self.samplers.main
        found = {name: self.walk.word(main, name) if main else None for name in _WORDS}
        return {name: one for name, one in found.items() if one is not None}

    def prompts(self, side: str) -> list[Said]:
        """Return the texts of the main sampler's prompt."""
        main = self.samplers.main
        return prompts_of(self.walk, main, side) if main else []

    def other_prompts(self, positive: list[Said], negative: list[Said]) -> dict[str, str]:
        """Return what else is said: more texts of the main prompt, and the other samplers'."""
        told = {one.text for one in (*positive[:1], *negative[:1])}
        others: dict[str, str] = {}

        def tell(name: str, said: Iterable[Said]) -> None:
            for one in said:
                if one.text.strip() and one.text not in told:
                    told.add(one.text)
                    place = name or f"{one.origins[0].input} #{one.origins[0].node}"
                    others[_free(place, others)] = one.text

        tell("", positive[1:])
        tell("", negative[1:])
        for node in self.samplers.others:
            for side, name in (("positive", "{}#{}"), ("negative", "{}#{} negative")):
                tell(name.format(node.kind, node.id), prompts_of(self.walk, node, side))
        return others

    def clip_skip(self) -> int | None:
        """Return how many layers of the text encoder were left out, counted as A1111 does."""
        for node in self.samplers.used:
            for name in ("stop_at_clip_layer", "clip_skip", "base_clip_skip"):
                value = node.inputs.get(name)
                if isinstance(value, int) and -24 <= value < 0:
                    return -value
        return None

    def parameters(self, words: dict[str, Literal]) -> Iterator[Parameter]:
        """Yield the main sampler's settings by their inputs' names, then other values by node."""
        prompts = (*self.prompts("positive")[:1], *self.prompts("negative")[:1])
        told = (*words.values(), *(one for said in prompts for one in said.origins))
        known = {(one.node, one.input) for one in told}
        for one in words.values():
            if one.input:
                yield Parameter(key=one.input, value=shown_value(one.value))
        for node, name, value in self._values():
            if (node.id, name) not in known:
                yield Parameter(key=_pair_key(node, name), value=shown_value(value)[:_MAX_SHOWN])

    def pairs(self, words: dict[str, Literal]) -> dict[str, tuple[Place, ...]]:
        """Return the places of all that `parameters` has."""
        found = {
            _pair_key(node, name): self.places([Literal(value, node.id, name)])
            for node, name, value in self._values()
        }
        return found | {one.input: self.places([one]) for one in words.values() if one.input}

    def _values(self) -> Iterator[tuple[Node, str, Any]]:
        left = _MAX_PAIRS
        for node in self.samplers.used:
            for name, value in node.inputs.items():
                if not isinstance(value, Link | dict | list) and value is not None and left:
                    left -= 1
                    yield node, name, value

    def text_places(self, said: list[Said]) -> tuple[Place, ...]:
        """Return where the first text stands, and the same text of the same node."""
        if not said or len(said[0].origins) != 1:
            return ()
        first = said[0].origins[0]
        same = [
            one.origins[0]
            for one in said
            if len(one.origins) == 1
            and (one.text, one.origins[0].node) == (said[0].text, first.node)
        ]
        return self.places(same)

    def places(self, origins: Iterable[Literal]) -> tuple[Place, ...]:
        """Return the places of inputs, in all graphs that have them."""
        return tuple(place for one in origins if one.input for place in self._places(one))

    def _places(self, one: Literal) -> Iterator[Place]:
        path = self.chosen.graph[one.node].paths.get(one.input)
        if path is not None:
            found = self.chosen.found
            yield JsonPlace(text=found.number, path=path, start=found.json.start, removable=False)
        if self.beside is not None:
            yield DrawnPlace(
                text=self.beside.found.number, start=self.beside.found.json.start, value=one
            )


def _pair_key(node: Node, name: str) -> str:
    return text_of(f"{node.kind}#{node.id}.{name}") or name


def _free(name: str, taken: dict[str, str]) -> str:
    """Return a name that is not taken yet."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free
