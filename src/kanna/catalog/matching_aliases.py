"""Other names of a model: those that its metadata and the files beside it give it.

Pictures and recipes call a model by the name that its file had where they were made. What a file
was called before it was renamed here, the library notes by itself (the trigger ``file_renamed``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from kanna.catalog.matching_names import version_name
from kanna.metadata.companions import Companion, PublishedFile, find_companions

# The fields that hold a file's name or the title by which programs show it.
_FIELDS: Final = (
    "ss_output_name",  # kohya's trainers; A1111 takes it for the name of a LoRA in prompts
    "modelspec.title",
    "general.name",  # GGUF
)
_KIB: Final = 1024
_LONGEST: Final = 512  # letters; what is longer is no name


class Alias(NamedTuple):
    """A name, and who gives it: ``former``, ``companion`` or ``metadata``."""

    name: str
    source: str


def aliases_of(
    path: Path, metadata: Mapping[str, str], companions: Iterable[Companion] | None = None
) -> tuple[Alias, ...]:
    """Return the other names of the model at `path`, whose header says `metadata`.

    `companions` are looked for beside it unless they are given.
    """
    beside = find_companions(path) if companions is None else companions
    found = [*_in_metadata(metadata), *_in_companions(path, beside)]
    own = {path.name, path.stem}
    named = (Alias(alias.name.strip(), alias.source) for alias in found)
    return tuple(dict.fromkeys(
        alias for alias in named
        if alias.name and alias.name not in own and _can_be_kept(alias.name)
    ))  # fmt: skip


def _can_be_kept(name: str) -> bool:
    """Whether it is text, which JSON need not hold, and no longer than names are."""
    return len(name) <= _LONGEST and not any("\ud800" <= letter <= "\udfff" for letter in name)


def keep_aliases(connection: sqlite3.Connection, file: int, aliases: Iterable[Alias]) -> None:
    """Put the other names of a file into the library in the place of those that it had."""
    connection.execute("DELETE FROM alias WHERE file = ? AND source <> 'former'", (file,))
    rows = ((file, alias.name, alias.source) for alias in aliases)
    connection.executemany("INSERT OR IGNORE INTO alias VALUES (?, ?, ?)", rows)


def _in_metadata(metadata: Mapping[str, str]) -> Iterator[Alias]:
    for field in _FIELDS:
        if name := metadata.get(field):
            yield Alias(name, "metadata")


def _in_companions(path: Path, companions: Iterable[Companion]) -> Iterator[Alias]:
    for one in companions:
        for name in _published(path, one.files):
            yield Alias(name, "companion")
        title, version = one.says.get("title", ""), one.says.get("version", "")
        if title:
            yield Alias(title, "companion")
            yield Alias(f"{title} {version}", "companion")
            yield Alias(f"{title} - {version}", "companion")  # so do Civitai's resources name it
        if one.version_number is not None:
            yield Alias(version_name(one.version_number), "companion")


def _published(path: Path, files: tuple[PublishedFile, ...]) -> Iterator[str]:
    """Yield the names of those files that the one at `path` can be, by its size."""
    try:
        size = path.stat().st_size
    except OSError:
        return
    for one in files:
        if one.bytes is None or abs(one.bytes - size) <= _KIB:
            yield one.name
