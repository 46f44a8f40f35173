"""Programs' folders: which program a folder is of, and where it keeps models and pictures.

What is known of them is in ``programs.toml``; `kanna.catalog.program_folders` puts it together with
what their own settings say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

Role: TypeAlias = Literal["active", "backup"]
Content: TypeAlias = Literal["models", "images", "both"]
ROLES: Final[tuple[Role, ...]] = ("active", "backup")
CONTENTS: Final[tuple[Content, ...]] = ("models", "images", "both")
PICTURES: Final = "pictures"  # in the place of a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A row of the table; its fields are explained there."""

    name: str
    signs: tuple[str, ...]
    models: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    folders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    launchers: tuple[str, ...] = ()
    config: str = ""
    data: str = ""
    homes: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    yaml: str = ""
    ignored: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder that a program keeps something in; `kind` is None for anything."""

    path: Path
    content: Content = "models"
    kind: str | None = None
    role: Role | None = None


def program_of(folder: Path) -> Program | None:
    """Return the program whose folder this is, or None."""
    for program in _programs():
        if any((folder / sign).exists() for sign in program.signs):
            return program
    return None


def program_called(name: str) -> Program:
    """Return the program of this name."""
    return next(program for program in _programs() if program.name == name)


def inner_names() -> tuple[str, ...]:
    """Return the names of folders inside of which a package may have its program."""
    return tuple(_table()["inner"])


def skipped_names() -> frozenset[str]:
    """Return the names of folders that hold no models."""
    return frozenset(_table()["skipped"])


def placed(path: Path, kind: str) -> Place:
    """Return a place for what the table calls `kind`."""
    if kind == PICTURES:
        return Place(path=path, content="images")
    return Place(path=path, kind=kind or None)


@cache
def _programs() -> tuple[Program, ...]:
    rows = {row["name"]: row for row in _table()["program"]}
    return tuple(_program(row, rows.get(row.get("like", ""), {})) for row in rows.values())


def _program(row: Mapping[str, Any], base: Mapping[str, Any]) -> Program:
    """Make a row; one that is `like` another one has what that has, and more folders."""
    merged = {**base, **row, "folders": {**base.get("folders", {}), **row.get("folders", {})}}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in merged.items() if key != "like"
    }  # fmt: skip
    return Program(**values)


@cache
def _table() -> dict[str, Any]:
    text = files("kanna.catalog").joinpath("programs.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
