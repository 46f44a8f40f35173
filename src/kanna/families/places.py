"""Parts that models share, and the folders of programs: where people get and keep files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kanna.families import tables
from kanna.families.loading import load_places
from kanna.families.rows import Spoken, tuples

# Programs with folders of their own, by the word of the tables, as they call themselves.
UIS: Final = {"comfyui": "ComfyUI", "a1111": "A1111", "forge": "Forge", "invokeai": "InvokeAI"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A part that models share, and where people get it.

    `word` is that of `Family.needs`; `architecture` tells VAEs apart. `files` are its usual names,
    the most usual first; `repository` is where it is published; `parameters` are in billions.
    `aliases` are other words that people type for it.
    """

    word: str
    title: str
    role: str
    files: tuple[str, ...]
    architecture: str | None = None
    repository: str | None = None
    parameters: float | None = None
    aliases: tuple[str, ...] = ()
    note: Spoken | None = None


@cache
def place_tables() -> dict[str, Any]:
    """Return the raw rows of parts and folders.

    Raises:
        FormatError: a user's table cannot be read, or something in it is wrong.
    """
    return load_places(tables()["stamp"])


@cache
def all_places() -> tuple[Place, ...]:
    """Return every part that models share."""
    return tuple(Place(**tuples(row)) for row in place_tables().get("part", ()))


def places(word: str, architecture: str | None = None) -> tuple[Place, ...]:
    """Return the rows of the part called `word`; of a VAE, those of `architecture`."""
    return tuple(
        place
        for place in all_places()
        if place.word == word and place.architecture in {None, architecture}
    )


def folders(kind: str) -> Mapping[str, str]:
    """Return the folder that each UI keeps files of `kind` in, as far as it has one."""
    return {ui: folder for ui, folder in _folder_row(kind).items() if ui in UIS}


def kind_words() -> Mapping[str, tuple[str, ...]]:
    """Return every kind that has a row of folders, with the other words that people type for it."""
    rows = place_tables().get("folder", ())
    return {row["kind"]: tuple(row.get("aliases", ())) for row in rows}


def _folder_row(kind: str) -> Mapping[str, Any]:
    rows = place_tables().get("folder", ())
    found: Mapping[str, Any] = next((row for row in rows if row["kind"] == kind), {})
    return found
