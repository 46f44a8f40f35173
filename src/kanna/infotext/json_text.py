"""JSON whose untouched bytes survive an edit: one value is replaced, all else stays as it was.

Programs write what Python's `json` reads: NaN and Infinity, line breaks within strings, the same
key twice, of which the last counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple, Self, TypeAlias

from kanna.errors import FormatError, Incompatible

# A step to a value: the key in an object, the index in a list.
Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]

_MAX_LENGTH: Final = 32 << 20  # characters; workflows with pictures inside have some millions
_MAX_MARKS: Final = 2_000_000  # they outnumber the values that they part
_MAX_DEPTH: Final = 100
_DECODER: Final = json.JSONDecoder(strict=False)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_BEFORE: Final = re.compile(r"[ \t\r\n\ufeff]*")
_AFTER: Final = re.compile(r"[ \t\r\n\0]*")


class _Member(NamedTuple):
    """Where a member of an object or a list stands; of a list, `start` is its value's."""

    key: Step
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonText:
    """A text whose JSON begins at `start`; `value` is what that is to Python."""

    text: str
    value: Any
    start: int = 0

    @classmethod
    def parse(cls, text: str, start: int = 0) -> Self:
        """Return the JSON that is all of `text` from `start`, but space around it.

        Raises:
            FormatError: it is no JSON, or too long, or too deeply nested.
        """
        _check_size(text)
        try:
            begin = _end_of(_BEFORE, text, start)
            value, end = _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            raise FormatError("infotext_dialects.no_json", reason=_reason(error)) from error
        if _end_of(_AFTER, text, end) < len(text):
            raise FormatError("infotext_dialects.no_json", reason="text behind the JSON")
        if _is_deeper(value, _MAX_DEPTH):
            raise FormatError("infotext_dialects.too_deep", limit=_MAX_DEPTH)
        return cls(text=text, value=value, start=begin)

    def get(self, path: Path) -> Any:
        """Return the value at `path`, None where there is none."""
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (LookupError, TypeError):
                return None
        return value

    def with_value(self, path: Path, value: object) -> Self:
        """Return it with another value at `path`, whose last key may be new to its object.

        Raises:
            Incompatible: there is no such place.
        """
        *way, last = path
        begin = self._begin(tuple(way))
        written = self._written(value)
        members = list(_members(self.text, begin))
        for member in reversed(members):
            if member.key == last:
                return self._replaced(member.value, member.end, written)
        if self.text[begin] != "{" or not isinstance(last, str):
            raise Incompatible("infotext_dialects.no_such_place", name=last)
        return self._added(begin, members, f"{self._written(last)}", written)

    def without(self, path: Path) -> Self:
        """Return it without the value at `path` and its key, however often the key is there.

        Raises:
            Incompatible: there is no such place.
        """
        *way, last = path
        begin = self._begin(tuple(way))
        members = list(_members(self.text, begin))
        if all(member.key != last for member in members):
            raise Incompatible("infotext_dialects.no_such_place", name=last)
        body = self.text[begin + 1 : members[0].start]
        kept = False
        for number, member in enumerate(members):
            if member.key != last:
                gap = self.text[members[number - 1].end : member.start] if kept else ""
                body += gap + self.text[member.start : member.end]
                kept = True
        return self._replaced(begin + 1, members[-1].end, body)

    def _begin(self, path: Path) -> int:
        """Return where the value at `path` begins; the last of equal keys counts."""
        place = self.start
        for step in path:
            found = [one.value for one in _members(self.text, place) if one.key == step]
            if not found:
                raise Incompatible("infotext_dialects.no_such_place", name=step)
            place = found[-1]
        return place

    def _added(self, begin: int, members: list[_Member], key: str, written: str) -> Self:
        """Write a new member behind the last one, spaced as its neighbours are."""
        if not members:
            return self._replaced(begin + 1, begin + 1, f"{key}: {written}")
        last = members[-1]
        before = members[-2].end if len(members) > 1 else begin + 1
        comma = "" if len(members) > 1 else ","
        gap = comma + self.text[before : last.start]
        _, key_end = _DECODER.raw_decode(self.text, last.start)
        colon = self.text[key_end : last.value]
        return self._replaced(last.end, last.end, f"{gap}{key}{colon}{written}")

    def _replaced(self, start: int, end: int, written: str) -> Self:
        return type(self).parse(self.text[:start] + written + self.text[end:], self.start)

    def _written(self, value: object) -> str:
        """Return a value as JSON: in ASCII where all of the text is, so that its place may stay."""
        text = json.dumps(value, ensure_ascii=self.text.isascii())
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair is text only as an escape
            return json.dumps(value)
        return text


def _check_size(text: str) -> None:
    if len(text) > _MAX_LENGTH or sum(map(text.count, ",:[{")) > _MAX_MARKS:
        raise FormatError("infotext_dialects.too_long", limit=_MAX_LENGTH)


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _is_deeper(value: object, limit: int) -> bool:
    """Whether objects and lists are nested deeper than `limit`."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        inner = chain.from_iterable(one.values() if type(one) is dict else one for one in level)
        level = [one for one in inner if type(one) is dict or type(one) is list]
    return bool(level)


def _members(text: str, begin: int) -> Iterator[_Member]:
    """Yield the members of the object or list that begins there; of anything else, none."""
    if text[begin] not in "{[":
        return
    named = text[begin] == "{"
    place, number = _end_of(_SPACE, text, begin + 1), 0
    while text[place] not in "}]":
        start, key = place, number
        if named:
            key, place = _DECODER.raw_decode(text, place)
            place = _end_of(_SPACE, text, _end_of(_SPACE, text, place) + 1)
        _, end = _DECODER.raw_decode(text, place)
        yield _Member(key, start, place, end)
        place, number = _end_of(_SPACE, text, end), number + 1
        if text[place] == ",":
            place = _end_of(_SPACE, text, place + 1)


def _end_of(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    assert match is not None  # it matches the empty text
    return match.end()
