"""ComfyUI: graphs under ``prompt`` (what ran) and ``workflow`` (what was drawn).

PNG has them as texts, WebP and JPEG as EXIF ``prompt:{…}`` and ``workflow:{…}`` in whatever tag.
`prompt` is read; `workflow` only where there is no other. Of several samplers, the one that the
saved picture comes from is told as the picture's own; the prompts of the others are `prompts`.

A change is made in both graphs. In `workflow` it is made where the value stands that `prompt` has;
a value that is got from elsewhere there (a random one, say) is left alone.
Civitai's own generator writes such a graph into UserComment, with `extraMetadata` beside the nodes.
Where a saving node wrote A1111's text, too, see `kanna.infotext.comfyui_both`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from kanna.errors import FormatError, Incompatible
from kanna.infotext.comfyui_graph import Graph, Link, Node, prompt_graph
from kanna.infotext.comfyui_models import models_of
from kanna.infotext.comfyui_samplers import Samplers, find_samplers, prompts_of
from kanna.infotext.comfyui_walk import Literal, Said, Walk
from kanna.infotext.comfyui_workflow import workflow_graph
from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import Found
from kanna.infotext.info import GenerationInfo, Parameter
from kanna.infotext.json_text import JsonText
from kanna.infotext.places import JsonPlace, Place, Texts, with_text
from kanna.infotext.values import as_field, object_of, shown_value, text_of
from kanna.infotext.written import Reading, Written
from kanna.model import Note

_NAMED: Final = re.compile(r"\s*(prompt|workflow)\s*:\s*(?=\{)", re.IGNORECASE)
_WORDS: Final = (
    "steps", "sampler", "scheduler", "cfg_scale", "distilled_cfg_scale", "seed", "width", "height",
    "denoising_strength",
)  # fmt: skip
_MAX_PAIRS: Final = 2000
_MAX_SHOWN: Final = 100_000  # characters of a value


class _Drawn(NamedTuple):
    """A graph and the text that has it; `kind` is prompt or workflow."""

    kind: str
    graph: Graph
    found: Found


def open_comfyui(texts: Texts) -> Editable | None:
    """Return the texts as ComfyUI writes them, None where they are another's."""
    graph = Written.open(texts, read_graphs)
    if graph is None:
        return None
    from kanna.infotext.comfyui_both import join_parameters

    return join_parameters(graph)


def read_graphs(texts: Texts) -> Reading | None:
    """Return what the graphs of a picture say, None where it has none."""
    notes: list[Note] = []
    drawn: dict[str, _Drawn] = {}
    for one in _graphs(texts, notes):
        drawn.setdefault(one.kind, one)
    chosen = drawn.get("prompt") or drawn.get("workflow")
    if chosen is None:
        return None
    beside = drawn.get("workflow") if chosen.kind == "prompt" else None
    return _reading(chosen, beside, tuple(notes))


def _graphs(texts: Texts, notes: list[Note]) -> Iterator[_Drawn]:
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


def _of_document(found: Found) -> Iterator[_Drawn]:
    """Yield the graphs of a document: it is one, or has them under their names."""
    document = found.document
    for kind, make in _MAKERS.items():
        if (graph := make(document)) is not None:
            yield _Drawn(kind, graph, found)
            return
    for kind, make in _MAKERS.items():
        inner = object_of(document.get(kind))
        if inner and (graph := make(inner)) is not None:
            yield _Drawn(kind, _under(graph, kind), found)


def _under(graph: Graph, key: str) -> Graph:
    return {
        one: replace(node, paths={name: (key, *path) for name, path in node.paths.items()})
        for one, node in graph.items()
    }


_MAKERS: Final[dict[str, Callable[[object], Graph | None]]] = {
    "prompt": prompt_graph,
    "workflow": workflow_graph,
}


def _reading(chosen: _Drawn, beside: _Drawn | None, notes: tuple[Note, ...]) -> Reading:
    walk = Walk(chosen.graph)
    samplers = find_samplers(walk)
    made = _Made(walk, samplers, chosen, beside)
    words = made.words()
    positive, negative = made.prompts("positive"), made.prompts("negative")
    main = {"positive": positive, "negative": negative}
    prompts = made.other_prompts(positive, negative)
    every = (*(one.text for one in (*positive, *negative)), *prompts.values())
    info = GenerationInfo(
        dialect="civitai" if "extraMetadata" in chosen.found.document else "comfyui",
        prompt=positive[0].text if positive else None,
        negative=negative[0].text if negative else None,
        prompts=prompts,
        clip_skip=made.clip_skip(),
        models=tuple(models_of(walk, samplers.used, every)),
        parameters=tuple(made.parameters(words)),
        notes=notes,
    )
    values = {name: as_field(name, one.value) for name, one in words.items()}
    places = {name: made.places([one]) for name, one in words.items()}
    for name, side in (("prompt", "positive"), ("negative", "negative")):
        places[name] = made.text_places(main[side])
    return Reading(info=replace(info, **values), places=places, pairs=made.pairs(words))


@dataclass(frozen=True, slots=True)
class _Made:
    """A graph that was walked: what it says of the picture."""

    walk: Walk
    samplers: Samplers
    chosen: _Drawn
    beside: _Drawn | None

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
            for name in ("stop_at_clip_layer", "clip_skip"):
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
        return found | {one.input: self.places([one]) for one in words.values()}

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
        return tuple(place for one in origins for place in self._places(one))

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
        return with_text(texts, self.text, texts[self.text].text)


def _shown_at(graph: Graph, value: Literal) -> Iterator[tuple[str | int, ...]]:
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
