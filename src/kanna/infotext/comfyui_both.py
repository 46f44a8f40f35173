"""Pictures of ComfyUI whose saving node wrote A1111's text, too: read as both.

The text was made for reading, so that prompt and settings are taken from it. The graph adds what
the text lacks: models that it does not name (VAE, text encoders, ControlNets …), settings that it
leaves open, and, in `prompts`, a prompt that differs. All pairs of both are parameters, the text's
first. A change is made in the text, and in the graph where that said the same before.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import PureWindowsPath
from typing import Final, Self

from kanna.errors import Incompatible
from kanna.infotext.comfyui import read_graphs
from kanna.infotext.detecting import open_parameters
from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo, ModelReference
from kanna.infotext.places import Texts
from kanna.infotext.written import Written

_JOINED: Final = {"dialect", "prompts", "models", "parameters", "notes"}
_DIFFUSION: Final = frozenset({"checkpoint", "diffusion_model"})


def join_parameters(graph: Written) -> Editable:
    """Return a graph with the text of A1111 beside it, or the graph alone where there is none."""
    text = open_parameters(graph.texts())
    return graph if text is None else Both(text=text, graph=graph)


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """A graph, and a text of A1111's grammar, of one picture; see `Editable`."""

    text: Editable
    graph: Written

    @property
    def info(self) -> GenerationInfo:
        """What both say; see the module."""
        return _joined(self.text.info, self.graph.info)

    def texts(self) -> Texts:
        """Return all texts of the picture, in their places and order."""
        return self.text.texts()

    def with_prompt(self, prompt: str) -> Self:
        """Return it with another prompt, in the graph, too, where it was the same."""
        graph = self.graph
        if graph.info.prompt == self.text.info.prompt and graph.reading.places.get("prompt"):
            graph = graph.with_prompt(prompt)
        return self._again(self._text_in(graph).with_prompt(prompt))

    def with_negative(self, negative: str) -> Self:
        """Return it with another negative prompt, in the graph, too, where it was the same."""
        graph = self.graph
        same = (graph.info.negative or "") == (self.text.info.negative or "")
        if same and graph.reading.places.get("negative"):
            graph = graph.with_negative(negative)
        return self._again(self._text_in(graph).with_negative(negative))

    def with_parameter(self, key: str, value: str) -> Self:
        """Return it with this pair: of the text, of the graph, or of both if they agreed."""
        places = self.graph.reading.find(key)
        old = self._pair(self.text.info, key)
        if places and old is None:
            return self._again(self._text_in(self.graph.with_parameter(key, value)))
        graph = self.graph
        if places and old == self._said(key):
            graph = graph.with_parameter(key, value)
        return self._again(self._text_in(graph).with_parameter(key, value))

    def without_parameter(self, key: str) -> Self:
        """Return it without any pair of this key in the text; a graph keeps all of its own."""
        if self._pair(self.text.info, key) is None and self.graph.reading.find(key):
            raise Incompatible("infotext_dialects.not_removable", name=key)
        return self._again(self.text.without_parameter(key))

    def _said(self, key: str) -> str | None:
        """Return what the graph says under a key of the text."""
        places = self.graph.reading.find(key)
        pairs = self.graph.reading.pairs
        parameters = self.graph.info.parameters
        return next((one.value for one in parameters if pairs.get(one.key) == places), None)

    @staticmethod
    def _pair(info: GenerationInfo, key: str) -> str | None:
        return next((one.value for one in info.parameters if one.key == key), None)

    def _text_in(self, graph: Written) -> Editable:
        text = open_parameters(graph.texts())
        assert text is not None  # a change of the graph leaves it as it is
        return text

    def _again(self, text: Editable) -> Self:
        graph = Written.open(text.texts(), read_graphs)
        assert graph is not None  # likewise
        return replace(self, text=text, graph=graph)


def _joined(text: GenerationInfo, graph: GenerationInfo) -> GenerationInfo:
    missing = {
        one.name: getattr(graph, one.name)
        for one in fields(GenerationInfo)
        if one.name not in _JOINED and getattr(text, one.name) is None
    }
    both = (("workflow", graph.prompt), ("workflow negative", graph.negative))
    told = {text.prompt, text.negative}
    prompts = {
        **text.prompts,
        **graph.prompts,
        **{name: said for name, said in both if said and said not in told},
    }
    return replace(
        text,
        **missing,
        dialect=graph.dialect,
        prompts=prompts,
        models=(*text.models, *_lacking(text.models, graph.models)),
        parameters=(*text.parameters, *graph.parameters),
        notes=(*text.notes, *graph.notes),
    )


def _lacking(
    told: tuple[ModelReference, ...], more: tuple[ModelReference, ...]
) -> list[ModelReference]:
    """Return those of `more` that are not told: another name, or another role."""
    known = {(_kind(one), _stem(one.name)) for one in told}
    return [one for one in more if (_kind(one), _stem(one.name)) not in known]


def _kind(one: ModelReference) -> str:
    return "diffusion" if one.role in _DIFFUSION else one.role


def _stem(name: str | None) -> str:
    """Return a model's name as programs compare it: no folder, no suffix of a model."""
    last = PureWindowsPath(name or "").name
    stem, dot, suffix = last.rpartition(".")
    is_file = dot and suffix.lower() in {"safetensors", "ckpt", "pt", "pth", "bin", "gguf", "sft"}
    return (stem if is_file else last).lower()
