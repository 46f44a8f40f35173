"""What is asked of the models in a library, as values, and the SQL that it becomes.

Whatever a person types is bound as a parameter; the SQL itself is made of what stands here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from kanna.catalog.store import path_value
from kanna.catalog.wording import asked

# Kinds of files that are made for a model, which their `architecture` names.
ADAPTERS: Final = (
    "lora", "embedding", "hypernetwork", "controlnet", "t2i_adapter", "ip_adapter", "style_model",
    "motion_module", "gligen",
)  # fmt: skip
_SAID: Final = ("trained_on", "made_from", "lora_of")


class Condition(NamedTuple):
    """A condition in SQL on a row of ``file``, and the values of its parameters."""

    sql: str
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The model that adapters are for: an architecture, or what their metadata call it."""

    architecture: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An architecture, or one variant of it."""

    architecture: str
    variant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which models are wanted; everything that is given must hold.

    Of several words in `kinds`, `families`, `variants`, `dtypes`, `containers` and `roots` one must
    hold, of `findings` and `tags` each. `words` are as `wording.asked` reads them. `larger` and
    `smaller` are bytes, the former included; `newer` and `older` seconds since 1970. `gone` asks
    for models whose files are no longer there, which else are left out; None takes both.
    """

    words: str = ""
    part_of_name: str = ""
    kinds: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    variants: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    base: Base | None = None
    roots: tuple[Path, ...] = ()
    role: str | None = None
    larger: int | None = None
    smaller: int | None = None
    newer: float | None = None
    older: float | None = None
    unknown: bool = False
    broken: bool = False
    noted: bool = False
    gone: bool | None = False


def conditions(filters: Filters) -> Condition:
    """Return one condition that holds for just the models that are wanted."""
    found = [
        condition
        for name, make in _MAKERS.items()
        for condition in make(getattr(filters, name))
    ]  # fmt: skip
    sql = " AND ".join(condition.sql for condition in found) or "1"
    return Condition(sql, tuple(value for one in found for value in one.values))


def _words(text: str) -> Iterator[Condition]:
    question = asked(text)
    rows = "SELECT rowid FROM file_words WHERE file_words MATCH ?"
    if question.wanted:
        yield Condition(f"file.id IN ({rows})", (question.wanted,))
    if question.unwanted:
        yield Condition(f"file.id NOT IN ({rows})", (question.unwanted,))


def _part_of_name(text: str) -> Iterator[Condition]:
    """Yield that every word of `text` stands somewhere in the name, or not if it begins with -."""
    for word in text.replace('"', " ").split():
        no = word.startswith("-") and len(word) > 1
        sql = f"file.name {'NOT ' * no}LIKE ? ESCAPE '!'"
        names = f"SELECT id FROM file WHERE {sql}"  # answered by the index of names alone
        yield Condition(f"file.id IN ({names})", (_anywhere(word[no:]),))


def _one_of(column: str) -> Callable[[tuple[str, ...]], Iterator[Condition]]:
    def make(words: tuple[str, ...]) -> Iterator[Condition]:
        if words:
            yield Condition(f"file.{column} IN ({_marks(words)})", words)

    return make


def _each_in(table: str, column: str) -> Callable[[tuple[str, ...]], Iterator[Condition]]:
    def make(words: tuple[str, ...]) -> Iterator[Condition]:
        for word in words:
            rows = f"SELECT file FROM {table} WHERE {column} = ?"
            yield Condition(f"file.id IN ({rows})", (word,))

    return make


def _families(families: tuple[Family, ...]) -> Iterator[Condition]:
    if not families:
        return
    whole = [one.architecture for one in families if one.variant is None]
    parts = [one for one in families if one.variant is not None]
    sql = [f"file.architecture IN ({_marks(whole)})"] * bool(whole)
    sql += ["file.architecture = ? AND file.variant = ?"] * len(parts)
    values = [value for one in parts for value in (one.architecture, one.variant)]
    yield Condition(f"({' OR '.join(sql)})", (*whole, *values))


def _dtypes(words: tuple[str, ...]) -> Iterator[Condition]:
    if words:
        marks = _marks(words)
        sql = f"(file.dtype IN ({marks}) OR file.quantization IN ({marks}))"
        yield Condition(sql, (*words, *words))


def _base(base: Base | None) -> Iterator[Condition]:
    if base is None:
        return
    kinds = f"file.kind IN ({_marks(ADAPTERS)})"
    if base.architecture is not None:
        yield Condition(f"{kinds} AND file.architecture = ?", (*ADAPTERS, base.architecture))
        return
    said = (
        f"SELECT file FROM origin WHERE relation IN ({_marks(_SAID)})"
        " AND (name LIKE ? ESCAPE '!' OR digest LIKE ? ESCAPE '!')"
    )
    pattern = _anywhere(base.name)
    yield Condition(f"file.id IN ({said})", (*_SAID, pattern, pattern[1:]))


def _roots(folders: tuple[Path, ...]) -> Iterator[Condition]:
    """Yield that the path lies below one of the folders; the index of paths answers it."""
    if not folders:
        return
    bounds: list[str | bytes] = []
    for folder in folders:
        text = os.fspath(folder).rstrip("/\\")
        first, last = text + os.sep, text + chr(ord(os.sep) + 1)
        bounds += [os.fsencode(first), os.fsencode(last)]  # of paths that are no valid Unicode
        if isinstance(path_value(folder), str):
            bounds += [first, last]
    sql = " OR ".join(["(file.path >= ? AND file.path < ?)"] * (len(bounds) // 2))
    yield Condition(f"({sql})", tuple(bounds))


def _role(role: str | None) -> Iterator[Condition]:
    if role is not None:
        yield Condition("file.root IN (SELECT id FROM root WHERE role = ?)", (role,))


def _compared(column: str, sign: str) -> Callable[[float | None], Iterator[Condition]]:
    def make(bound: float | None) -> Iterator[Condition]:
        if bound is not None:
            yield Condition(f"file.{column} {sign} ?", (bound,))

    return make


def _when(sql: str) -> Callable[[bool], Iterator[Condition]]:
    def make(wanted: bool) -> Iterator[Condition]:  # noqa: FBT001 - one value of a filter
        if wanted:
            yield Condition(sql)

    return make


def _gone(gone: bool | None) -> Iterator[Condition]:  # noqa: FBT001 - as above
    if gone is not None:
        yield Condition(f"file.present = {int(not gone)}")


def _anywhere(text: str) -> str:
    """Return the pattern of LIKE for `text` anywhere in another."""
    plain = text.encode("utf-8", "replace").decode()
    return "%" + "".join(f"!{c}" if c in "!%_" else c for c in plain) + "%"


def _marks(words: tuple[object, ...] | list[str]) -> str:
    return ", ".join("?" * len(words))


_MAKERS: Final[Mapping[str, Callable[[Any], Iterator[Condition]]]] = {
    "words": _words,
    "part_of_name": _part_of_name,
    "kinds": _one_of("kind"),
    "families": _families,
    "variants": _one_of("variant"),
    "dtypes": _dtypes,
    "containers": _one_of("container"),
    "findings": _each_in("finding", "code"),
    "tags": _each_in("tag", "word"),
    "base": _base,
    "roots": _roots,
    "role": _role,
    "larger": _compared("size", ">="),
    "smaller": _compared("size", "<"),
    "newer": _compared("modified", ">="),
    "older": _compared("modified", "<"),
    "unknown": _when("file.kind = 'unknown'"),
    "broken": _when("file.error IS NOT NULL"),
    "noted": _when("file.note IS NOT NULL"),
    "gone": _gone,
}
