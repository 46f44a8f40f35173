"""Tables of a recipe, read key by key: what nobody knows is an error that names its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Final

from kanna.errors import UsageError

_NAME: Final = re.compile(r"[\w-]{1,64}")
_LARGEST: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Fields:
    """One table: its `values`, and `where` it stands in the document."""

    values: Mapping[str, object]
    where: str = ""

    def at(self, key: str) -> str:
        """Return where the value of `key` stands."""
        return f"{self.where}.{key}" if self.where else key

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that are not among `known`.

        Raises:
            UsageError: there is one.
        """
        words = list(known)
        for key in self.values:
            if key not in words:
                raise no_such_key(self.at(key), key, words)

    def table(self, key: str) -> Fields:
        """Return the table `key`, which may be missing."""
        return Fields(as_table(self.values.get(key, {}), self.at(key)), self.at(key))

    def text(self, key: str) -> str | None:
        """Return the text `key`, or None where it is missing."""
        value = self.values.get(key)
        return None if value is None else as_text(value, self.at(key))

    def needed_text(self, key: str) -> str:
        """Return the text `key`.

        Raises:
            UsageError: it is missing, or no text.
        """
        if key not in self.values:
            raise UsageError("recipe.key_missing", where=self.at(key))
        return as_text(self.values[key], self.at(key))

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the truth value `key`."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise UsageError("recipe.no_flag", where=self.at(key), value=value)
        return value

    def count(self, key: str, default: int) -> int:
        """Return the whole number `key`."""
        return as_count(self.values.get(key, default), self.at(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts `key`, which may be missing."""
        values = as_list(self.values.get(key, []), self.at(key))
        return tuple(as_text(one, f"{self.at(key)}[{n}]") for n, one in enumerate(values, 1))

    def words(self, key: str) -> dict[str, str]:
        """Return the table `key` of texts, which may be missing."""
        inner = self.table(key)
        return {name: as_text(value, inner.at(name)) for name, value in inner.values.items()}


def no_such_key(where: str, key: str, known: Iterable[str]) -> UsageError:
    """Return the error for a key that nobody knows, with what may have been meant."""
    words = list(known)
    near = get_close_matches(key, words, n=1)
    if near:
        return UsageError("recipe.unknown_key_near", where=where, near=near[0])
    return UsageError("recipe.unknown_key", where=where, known=", ".join(words))


def as_table(value: object, where: str) -> Mapping[str, object]:
    """Return `value` if it is a table.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, dict):
        raise UsageError("recipe.no_table", where=where, value=value)
    return value


def as_list(value: object, where: str) -> list[object]:
    """Return `value` if it is a list.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, list):
        raise UsageError("recipe.no_list", where=where, value=value)
    return value


def as_text(value: object, where: str) -> str:
    """Return `value` if it is text.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, str):
        raise UsageError("recipe.no_text", where=where, value=value)
    return value


def as_count(value: object, where: str) -> int:
    """Return `value` if it is a whole number of at most 64 bits.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _LARGEST:
        raise UsageError("recipe.no_count", where=where, value=value)
    return value


def as_number(value: object, where: str) -> float:
    """Return `value` if it is a finite number.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not _is_usual(value):
        raise UsageError("recipe.no_number", where=where, value=value)
    return float(value)


def _is_usual(value: float) -> bool:
    return abs(value) < _LARGEST and isfinite(value)


def as_name(value: object, where: str) -> str:
    """Return `value` if it can name a model or a step: letters, digits, ``_`` and ``-``.

    Raises:
        UsageError: it cannot.
    """
    name = as_text(value, where)
    if not _NAME.fullmatch(name):
        raise UsageError("recipe.bad_name", where=where, name=name)
    return name
