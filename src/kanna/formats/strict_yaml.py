"""YAML as the configurations beside models need it: plain data, nothing that makes an object.

Only PyYAML's event parser is used, never one of its loaders' constructors: a tag is text that is
refused, an alias is refused, and size, depth and number of values are bounded before anything is
made of them. Plain scalars mean what they mean to ``yaml.safe_load``, except that dates and
numbers to the base of 60 stay text. Source: the YAML 1.1 type repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from kanna.disk import InputFile
from kanna.errors import FormatError

_MAX_SIZE: Final = 1 << 20
_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 64
_MAX_DIGITS: Final = 100

_BOOLS: Final = {
    **dict.fromkeys(("yes", "true", "on"), True), **dict.fromkeys(("no", "false", "off"), False),
}  # fmt: skip
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INT: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0b(?P<b>[01_]+)|0x(?P<x>[0-9a-fA-F_]+)|0(?P<o>[0-7_]+)"
    r"|(?P<d>0|[1-9][0-9_]*))"
)
_BASES: Final = {"b": 2, "x": 16, "o": 8, "d": 10}
_FLOAT: Final = re.compile(r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?")
_SPECIAL: Final = re.compile(r"(?P<sign>[-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Plain = None | bool | int | float | str | list["Plain"] | dict["Plain", "Plain"]


def read_yaml(path: str | os.PathLike[str]) -> Mapping[str, Plain]:
    """Return the mapping that is the whole of a YAML file, as plain data.

    Raises:
        FormatError: it is larger than 1 MiB, no YAML, no single mapping with text for keys, or it
            uses tags, anchors, aliases, merge keys or the same key twice.
        Incomplete: there is no such file.
    """
    file = InputFile(path)
    try:
        return parse_yaml(read_text(file), file.path)
    finally:
        file.close()


def read_text(file: InputFile) -> str:
    """Return the text of a YAML file.

    Raises:
        FormatError: it is larger than 1 MiB, or no UTF-8.
    """
    if file.size > _MAX_SIZE:
        raise FormatError("strict_yaml.too_long", path=file.path, limit=_MAX_SIZE)
    try:
        return file.read(0, file.size).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("strict_yaml.invalid", path=file.path, reason=error.reason) from None


def parse_yaml(text: str, path: Path) -> Mapping[str, Plain]:
    """Return the mapping that `text` is, which was read from `path`; see `read_yaml`."""
    value = _Builder(text, path).document()
    if type(value) is not dict or not all(type(key) is str for key in value):
        raise FormatError("strict_yaml.no_mapping", path=path)
    return value  # type: ignore[return-value]


def tags(text: str) -> Iterator[str]:
    """Yield the tags in `text`, written out in full, as far as it can be read at all."""
    depth = 0
    try:
        for count, event in enumerate(_events(text)):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if count > 2 * _MAX_NODES or depth > _MAX_DEPTH:  # deep ones take PyYAML for ever
                return
            tag = getattr(event, "tag", None)
            if isinstance(tag, str):
                yield tag
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=yaml.SafeLoader)


class _Builder:
    """Makes plain data of events, and counts them."""

    __slots__ = ("_events", "_left", "_path")

    def __init__(self, text: str, path: Path) -> None:
        self._events = _events(text)
        self._path = path
        self._left = _MAX_NODES

    def document(self) -> Plain:
        """Return the value of the one document.

        Raises:
            FormatError: a rule of this module or of YAML is broken.
        """
        try:
            value: Plain = None
            count = 0
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    count += 1
                    value = self._value(next(self._events), 0)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise FormatError("strict_yaml.invalid", path=self._path, reason=reason) from None
        except (ValueError, OverflowError, RecursionError, StopIteration) as error:
            name = type(error).__name__
            raise FormatError("strict_yaml.invalid", path=self._path, reason=name) from None
        if count > 1:
            raise FormatError("strict_yaml.documents", path=self._path)
        return value

    def _value(self, event: yaml.Event, depth: int) -> Plain:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise FormatError("strict_yaml.crowded", path=self._path)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise FormatError("strict_yaml.alias", path=self._path)
        tag = getattr(event, "tag", None)
        if tag:
            raise FormatError("strict_yaml.tag", path=self._path, tag=tag)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else plain_scalar(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        return self._mapping(depth)

    def _sequence(self, depth: int) -> Plain:
        found: list[Plain] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _mapping(self, depth: int) -> Plain:
        found: dict[Plain, Plain] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if isinstance(key, list | dict) or key == "<<" or key in found:
                raise FormatError("strict_yaml.key", path=self._path, name=str(key))
            found[key] = self._value(next(self._events), depth + 1)
        return found


def plain_scalar(text: str) -> Plain:
    """Return what an unquoted scalar means: nothing, a truth value, a number or text."""
    if text in _NULLS:
        return None
    word = text.lower()
    if word in _BOOLS and text in (word, word.upper(), word.title()):
        return _BOOLS[word]
    if match := _INT.fullmatch(text):
        return _integer(text, match)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if match := _SPECIAL.fullmatch(text):
        return float(f"{match['sign'] or ''}inf" if text.lower().endswith("inf") else "nan")
    return text


def _integer(text: str, match: re.Match[str]) -> Plain:
    kind = next(name for name in _BASES if match[name] is not None)
    digits = match[kind].replace("_", "")
    if not digits or len(digits) > _MAX_DIGITS:
        return text
    return int(match["sign"] + digits, _BASES[kind])
