"""Where a picture's texts say something, so that just this can be changed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from kanna.errors import Incompatible
from kanna.infotext.json_text import JsonText, Path
from kanna.pictures.picture import PictureText

Texts: TypeAlias = tuple[PictureText, ...]

# A step of a path into the JSON that a string of JSON holds.
INSIDE: Final = "\0inside"
_TRUTHS: Final = {"true": True, "false": False}


class Place(Protocol):
    """A place in the texts of a picture."""

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; None takes away what is there.

        Raises:
            Incompatible: the place cannot hold it, or cannot be empty.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPlace:
    """A value of the JSON that begins at `start` of a text.

    What is written there has the type of what is there. One that is not `removable` is what a
    program would not run without.
    """

    text: int
    path: Path
    start: int = 0
    removable: bool = True

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; see `Place`."""
        if value is None and not self.removable:
            raise Incompatible("infotext_dialects.not_removable", name=self.path[-1])
        changed = _put(JsonText.parse(texts[self.text].text, self.start), self.path, value)
        return with_text(texts, self.text, changed)


def _put(document: JsonText, path: Path, value: str | None) -> str:
    if INSIDE in path:
        here = path.index(INSIDE)
        inner = JsonText.parse(str(document.get(path[:here])))
        return document.with_value(path[:here], _put(inner, path[here + 1 :], value)).text
    if value is None:
        return document.without(path).text
    return document.with_value(path, as_old(document.get(path), value, path[-1])).text


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeText:
    """All of a text; without a value it goes, chunk and all."""

    text: int

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; see `Place`."""
        if value is None:
            return texts[: self.text] + texts[self.text + 1 :]
        return with_text(texts, self.text, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The characters of a text from `start` to `end`, which go together with those from `label`.

    `one_line` says that what stands there cannot have line breaks.
    """

    text: int
    start: int
    end: int
    label: int
    one_line: bool = True

    def put(self, texts: Texts, value: str | None) -> Texts:
        """Return the texts with `value` in this place; see `Place`."""
        if self.one_line and value is not None and len(value.splitlines()) > 1:
            raise Incompatible("infotext_dialects.one_line", value=value)
        old = texts[self.text].text
        start = self.label if value is None else self.start
        return with_text(texts, self.text, old[:start] + (value or "") + old[self.end :])


def with_text(texts: Texts, number: int, text: str) -> Texts:
    """Return the texts with another one in the place of the `number`-th."""
    return (*texts[:number], replace(texts[number], text=text), *texts[number + 1 :])


def put_all(texts: Texts, places: Sequence[Place], value: str | None) -> Texts:
    """Return the texts with `value` in all of the places."""
    for place in places:
        texts = place.put(texts, value)
    return texts


def as_old(old: Any, value: str, name: object) -> object:
    """Return `value` as JSON of the type that `old` has; what was not there is typed by its looks.

    Raises:
        Incompatible: it is no value of that type.
    """
    if isinstance(old, str):
        return value
    if old is None:
        return _by_looks(value)
    try:
        new = _TRUTHS.get(value.strip().lower(), None) if isinstance(old, bool) else _parsed(value)
    except (ValueError, RecursionError):
        new = None
    if not _is_like(old, new):
        raise Incompatible("infotext_dialects.wrong_type", name=name, value=value)
    return new


def _parsed(value: str) -> object:
    return json.loads(value.strip())


def _is_like(old: object, new: object) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return type(old) is type(new)
    if isinstance(old, int | float):  # JavaScript writes 7.0 as 7
        return isinstance(new, int | float) and math.isfinite(new)
    return type(old) is type(new)


def _by_looks(value: str) -> object:
    """Return a number where the text is one as JSON writes it, else the text."""
    try:
        new = _parsed(value)
    except (ValueError, RecursionError):
        return value
    if isinstance(new, bool) or not isinstance(new, int | float):
        return value
    return new if math.isfinite(new) else value
