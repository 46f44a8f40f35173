"""Which folders follow from what a user names: a program's own, those its settings name, or itself.

Nothing of a program is run, and nothing is written to its folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kanna.catalog.program_settings import extra_paths, in_config, in_launchers, in_settings
from kanna.catalog.programs import (
    PICTURES,
    Content,
    Place,
    Program,
    inner_names,
    placed,
    program_called,
    program_of,
)
from kanna.disk import absolute
from kanna.model import Note

_DEEPEST: Final = 3  # the home of another program may name another one


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a folder turned out to be: whose it is, its places, and what could not be read."""

    program: str | None
    places: tuple[Place, ...]
    notes: tuple[Note, ...] = ()


def layout_of(source: Path) -> Layout:
    """Return the places that follow from a folder, or from a settings file that names folders.

    Of a program's folder these are the folders that it keeps models and pictures in, and those
    that its settings name, as far as they are there; of any other folder it is the folder itself.
    """
    if not source.is_dir():
        notes: list[Note] = []
        places = tuple(extra_paths(source, program_called("comfyui"), notes))
        return Layout(program="comfyui", places=_there(places), notes=tuple(notes))
    for folder in (source, *(source / name for name in inner_names())):
        program = program_of(folder)
        if program is not None:
            notes = []
            places = _there(_places(folder, program, notes, _DEEPEST))
            return Layout(program=program.name, places=places, notes=tuple(notes))
    return Layout(program=None, places=(Place(path=source, content="both"),))


def _places(folder: Path, program: Program, notes: list[Note], depth: int) -> Iterator[Place]:
    asked = in_launchers(folder, program)
    data = next((path for path, name in asked if name == program.data), folder)
    for base in dict.fromkeys((folder, data)):
        yield from (Place(path=base / name) for name in program.models)
        yield from (placed(base / name, kind) for name, kind in program.folders.items())
        yield from (placed(base / name, PICTURES) for name in program.pictures)
    yield from (
        placed(p, program.arguments[name]) for p, name in asked if name in program.arguments
    )
    if program.config:
        yield from in_config(data / program.config, data, program, notes)
    if program.ignored:
        yield from extra_paths(folder / program.yaml, program, notes, optional=True)
    if program.named:
        yield from in_settings(folder / program.yaml, program, notes)
    for path, name in asked:
        home = program_of(path) if name in program.homes and depth else None
        if home is not None:
            yield from _places(path, home, notes, depth - 1)


def _there(places: Iterable[Place]) -> tuple[Place, ...]:
    """Return the places that are there, each once; a backup stays one, and a kind is kept."""
    found: dict[Path, Place] = {}
    for place in places:
        path = absolute(place.path)
        if not path.is_dir():
            continue
        old = found.get(path)
        if old is None:
            found[path] = replace(place, path=path)
            continue
        content: Content = old.content if old.content == place.content else "both"
        found[path] = replace(
            old, content=content, kind=old.kind or place.kind, role=old.role or place.role
        )
    return tuple(found.values())
