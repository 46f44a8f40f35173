"""What programs' own settings say of folders: read as text and as data, never run.

Launchers are shell and batch scripts. Only assignments are read: of ``COMMANDLINE_ARGS``, and of
variables that occur in it. Every file is bounded, and one that is broken becomes a note.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kanna.catalog.programs import Place, Program, placed
from kanna.disk import InputFile
from kanna.errors import Incomplete, KannaError
from kanna.formats import strict_json, strict_yaml
from kanna.model import Note

_LONGEST_SCRIPT: Final = 1 << 20
_LONGEST_CONFIG: Final = 16 << 20
_MOST_FOLDERS: Final = 1000
_COMMENT: Final = re.compile(r"\s*(?:#|::|rem\b)", re.IGNORECASE)
_ASSIGNED: Final = re.compile(r"\s*(?:export\s+|set\s+|@set\s+)?\"?(\w+)=(.*)", re.IGNORECASE)
_WORD: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_VARIABLE: Final = re.compile(r"%~dp0|%(\w+)%|\$\{?(\w+)\}?")
_BACKUP: Final = "backup_"


def in_launchers(folder: Path, program: Program) -> list[tuple[Path, str]]:
    """Return the folders that the command line in a program's launchers names, by option."""
    wanted = {*program.arguments, *program.homes, program.data}
    found: list[tuple[Path, str]] = []
    for name in program.launchers:
        words = _arguments(_script(folder / name), folder)
        for option, value in _options(words):
            if option in wanted and value:
                found.append((_below(folder, value), option))
    return found[:_MOST_FOLDERS]


def in_config(path: Path, base: Path, program: Program, notes: list[Note]) -> Iterator[Place]:
    """Yield the folders that a ``config.json`` names; relative ones are below `base`."""
    document = _read(path, _json, notes)
    for key, value in document.items():
        kind = program.settings.get(key)
        if kind is not None and isinstance(value, str) and value.strip():
            place = placed(_below(base, value), kind)
            yield replace(place, role="backup") if key.startswith(_BACKUP) else place


def in_settings(path: Path, program: Program, notes: list[Note]) -> Iterator[Place]:
    """Yield the folders that an ``invokeai.yaml`` names."""
    document = _read(path, strict_yaml.read_yaml, notes)
    nested = document.get("InvokeAI")
    older = nested.get("Paths") if isinstance(nested, dict) else None
    for section in (document, older if isinstance(older, dict) else {}):
        for key, kind in program.named.items():
            value = section.get(key)
            if isinstance(value, str) and value.strip():
                place = _below(path.parent, value)
                inner = place / "images" if key == "outputs_dir" else place
                yield placed(inner if inner.is_dir() else place, kind)


def extra_paths(
    path: Path, program: Program, notes: list[Note], *, optional: bool = False
) -> Iterator[Place]:
    """Yield the folders that an ``extra_model_paths.yaml`` names, section by section.

    Raises:
        KannaError: the file cannot be read, and is not `optional`.
    """
    kinds = {Path(name).name: kind for name, kind in program.folders.items()}
    document = (
        _read(path, strict_yaml.read_yaml, notes) if optional else strict_yaml.read_yaml(path)
    )
    for section in document.values():
        if not isinstance(section, dict):
            continue
        named = section.get("base_path")
        base = _below(path.parent, named) if isinstance(named, str) else path.parent
        for key, value in section.items():
            if key in program.ignored or not isinstance(value, str):
                continue
            for line in value.split("\n")[:_MOST_FOLDERS]:
                if line.strip():
                    yield placed(_below(base, line), kinds.get(str(key), ""))


def _read(
    path: Path, reader: Callable[[Path], Mapping[Any, Any]], notes: list[Note]
) -> Mapping[Any, Any]:
    """Return what a settings file says; nothing where there is none, or where it is broken."""
    try:
        return reader(path)
    except Incomplete:
        if path.exists():
            notes.append(Note("library.settings_unreadable", {"path": path, "reason": ""}))
    except KannaError as error:
        reason = Note(error.key, error.values)
        notes.append(Note("library.settings_unreadable", {"path": path, "reason": reason}))
    return {}


def _json(path: Path) -> Mapping[str, object]:
    with closing(InputFile(path)) as file:
        return strict_json.load(file, limit=_LONGEST_CONFIG)


def _script(path: Path) -> str:
    try:
        with closing(InputFile(path)) as file:
            raw = file.read(0, min(file.size, _LONGEST_SCRIPT))
    except KannaError:
        return ""
    return re.sub(r"[\\^]\r?\n", " ", raw.decode("utf-8", "replace"))


def _arguments(text: str, folder: Path) -> str:
    """Return all that is assigned to ``COMMANDLINE_ARGS``, with variables filled in."""
    variables: dict[str, str] = {}
    for line in text.splitlines():
        match = None if _COMMENT.match(line) else _ASSIGNED.match(line)
        if match is not None:
            name, value = match[1].upper(), _filled(match[2], variables, folder)
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            variables[name] = value[1:-1] if quoted else value
    return variables.get("COMMANDLINE_ARGS", "")


def _filled(value: str, variables: Mapping[str, str], folder: Path) -> str:
    """Fill in the variables of `value`; one that is not known stays as it is."""

    def known(match: re.Match[str]) -> str:
        name = (match[1] or match[2] or "").upper()
        if not name or name == "CD":
            return f"{folder}{os.sep}"
        return variables.get(name, match[0])

    return _VARIABLE.sub(known, value)


def _options(text: str) -> Iterator[tuple[str, str]]:
    """Yield options with each of their values."""
    option = ""
    for match in _WORD.finditer(text):
        word = match[0]
        if word.startswith("--"):
            option, _, value = word.partition("=")
            word = value
        if option and word:
            yield option, word.replace('"', "").replace("'", "")


def _below(folder: Path, text: str) -> Path:
    """Return a path as programs understand it: ``~`` and the system's variables are filled in."""
    return folder / os.path.expanduser(os.path.expandvars(text.strip()))  # noqa: PTH111
