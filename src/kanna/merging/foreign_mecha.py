"""Recipes of sd-mecha: ``version 0.1.0``, then one instruction on each line.

Source: ljleb/sd-mecha sd_mecha/serialization.py. ``&3`` is what the fourth instruction made; a
parameter is a number, or a ``dict`` of numbers by block. What a model lacks (``fallback``) is
taken from the first one here, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kanna.errors import UsageError
from kanna.merging.foreign_mecha_graph import Graph, refusal
from kanna.merging.foreign_values import Read, number

_VERSION: Final = "version 0.1.0"
_MOST_LINES: Final = 2000
_LONGEST: Final = 1 << 20
_WORD: Final = re.compile(
    r'\s*(?:(?P<key>[\w.-]+)=)?(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))'
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CONSTANTS: Final[Mapping[str, object]] = {"null": None, "true": True, "false": False}


def from_mecha(text: str) -> Read:
    """Return the recipe that `text` is.

    Raises:
        UsageError: it is of another version, broken, or uses a method that does not exist here.
    """
    lines = text[:_LONGEST].splitlines()
    if len(lines) > _MOST_LINES or len(text) > _LONGEST:
        raise UsageError("recipe.too_long", limit=_LONGEST)
    if not lines or lines[0].strip() != _VERSION:
        raise UsageError("recipe.foreign_version", program="sd-mecha", known=_VERSION)
    graph, made = Graph(), list[object]()
    for at, line in enumerate(lines[1:], 2):
        if line.strip() and not line.lstrip().startswith("#"):
            made.append(_instruction(line, at, graph, made))
    return Read(recipe=graph.recipe(made[-1] if made else None))


def _instruction(line: str, at: int, graph: Graph, made: list[object]) -> object:
    (_, command), *words = _words(line, at)
    given = [(key, value if _is_text(value) else _value(str(value), at, made))
             for key, value in words]  # fmt: skip
    listed = [value for key, value in given if key is None]
    named = {key: value for key, value in given if key is not None}
    match command:
        case "model" if listed and isinstance(listed[0], _Text):
            return graph.model(str(listed[0]))
        case "dict":
            return {key: value if isinstance(value, bool) else number(value, f"{key} ({at})")
                    for key, value in named.items()}  # fmt: skip
        case "literal" if listed:
            return listed[0]
        case "merge" if listed and isinstance(listed[0], _Text):
            return graph.merge(str(listed[0]), listed[1:], named, at)
    raise refusal(str(command), at)


class _Text(str):
    """Text that stood in quotes."""

    __slots__ = ()


def _is_text(value: object) -> bool:
    return isinstance(value, _Text)


def _words(line: str, at: int) -> list[tuple[str | None, str]]:
    """Return the words of a line, each with the key before it."""
    found, place, line = [], 0, line.rstrip()
    while place < len(line):
        word = _WORD.match(line, place)
        if word is None:
            raise UsageError("recipe.foreign_line", program="sd-mecha", line=at)
        text = word["word"] if word["text"] is None else _Text(_ESCAPED.sub(r"\1", word["text"]))
        found.append((word["key"], text))
        place = word.end()
    return found


def _value(word: str, at: int, made: list[object]) -> object:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if not word.startswith("&"):
        return number(word, f"{word} ({at})")
    place = int(word[1:]) if word[1:].isdecimal() and len(word) < 9 else -1
    if not 0 <= place < len(made):
        raise UsageError("recipe.foreign_line", program="sd-mecha", line=at)
    return made[place]
