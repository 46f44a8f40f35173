"""What can be done with models: the list of merge methods, and each as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kanna.families.pages import spoken
from kanna.families.words import plain
from kanna.merging.method import Method, Parameter, built_in
from kanna.merging.registry import left_out, methods
from kanna.model import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodList:
    """Methods, those of plug-ins last, and why plug-ins were left out."""

    methods: tuple[Method, ...]
    notes: tuple[Note, ...]


def merge_methods(words: Iterable[str] = ()) -> MethodList:
    """Return the merge methods in which every one of `words` is found; plug-ins are imported.

    A word is looked for at the beginning of the words of names, titles, parameters and sources.
    """
    wanted = [plain(word) for word in words]
    found = (one for one in methods().values() if all(_mentions(one, word) for word in wanted))
    return MethodList(methods=tuple(found), notes=left_out())


def methods_called(word: str, *, plugins: bool = False) -> tuple[Method, ...]:
    """Return the methods that `word` means, whatever its case and dashes."""
    wanted = plain(word)
    known = methods() if plugins else built_in()
    return tuple(one for one in known.values() if _is_called(one, wanted))


def method_words() -> Iterator[str]:
    """Yield the names of all methods."""
    yield from methods()


def method_document(method: Method) -> dict[str, object]:
    """Return the JSON form of a method, texts in the language in force."""
    return {
        "name": method.name,
        "aliases": list(method.aliases),
        "title": spoken(method.title),
        "summary": spoken(method.summary),
        "kind": method.kind,
        "models": method.models,
        "base": method.base,
        "random": method.random,
        "needs_torch": method.kind != "linear",
        "plugin": method.name not in built_in(),
        "formula": method.formula,
        "formula_of_many": method.formula_of_many or None,
        "parameters": [_parameter(one) for one in method.parameters],
        "sources": list(method.sources),
    }


def _parameter(one: Parameter) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind,
        "default": one.default,
        "required": one.default is None and not one.optional,
        "range": [one.least, one.most],
        "words": list(one.words),
        "per_model": one.per_model,
        "text": spoken(one.text),
    }


def _is_called(method: Method, wanted: str) -> bool:
    return wanted in {plain(word) for word in (method.name, *method.aliases)}


def _mentions(method: Method, wanted: str) -> bool:
    said = [
        method.name, *method.aliases, *method.title.values(), *method.sources,
        *(one.name for one in method.parameters),
    ]  # fmt: skip
    pieces = (plain(piece) for text in said for piece in (text, *re.split(r"[\s:/-]+", text)))
    return any(piece.startswith(wanted) for piece in pieces)
