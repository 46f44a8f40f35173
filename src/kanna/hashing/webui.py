"""The hashes that A1111 and Forge keep, read with care: ``cache.json`` and ``cache/hashes``.

An entry gives a ``kind/name`` a time and a SHA-256; it is good while the file is not newer than
that time. A name is that of a file below the models folder, so the file must be found first. What
is known to be untrue in these caches is named and left out. Newer versions keep a diskcache folder
for each section: an SQLite table whose values are pickles, which are read as data.
Sources: AUTOMATIC1111 modules/cache.py, hashes.py, sd_vae.py; Forge modules/hashes.py; SuperMerger
scripts/mergers/mergers.py; diskcache core.py.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal
from urllib.parse import quote

from kanna.disk import InputFile
from kanna.errors import FormatError, Incomplete, KannaError
from kanna.formats import MODEL_SUFFIXES, strict_json
from kanna.formats.checkpoint.pickle_vm import read_pickle
from kanna.hashing.resolving import name_hash

# Why an entry was not taken, or that it was.
Fate = Literal[
    "taken", "no_hash", "shared_vae", "name_hash", "no_file", "several_files", "stale",
    "contradicts",
]  # fmt: skip
_SECTIONS: Final = {"hashes": "sha256", "hashes-addnet": "data_sha256"}
# Where the programs keep each kind, below the models folder or beside it.
_FOLDERS: Final = {
    "checkpoint": ("Stable-diffusion", "."),
    "lora": ("Lora", "LyCORIS", "."),
    "hypernet": ("hypernetworks", "."),
    "textual_inversion": ("../embeddings", "embeddings", "."),
}
_JSON_LIMIT: Final = 1 << 28  # the thumbnails of LoRAs are in there
_PICKLE_LIMIT: Final = 1 << 20
_PICKLED: Final = 4  # diskcache's word for a pickled value


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a cache: `field` is which digest it is; `sha256` is None where nothing was."""

    title: str
    field: str
    mtime: float
    sha256: str | None

    @property
    def kind(self) -> str:
        """The word before the first slash."""
        return self.title.partition("/")[0]

    @property
    def name(self) -> str:
        """The name behind it, with forward slashes."""
        return self.title.partition("/")[2].replace("\\", "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An entry, the file that it is about where there is one, and what became of it."""

    entry: Entry
    fate: Fate
    path: Path | None = None


def read_entries(path: Path) -> list[Entry]:
    """Return the entries of ``cache.json``, a ``cache`` folder, one section of it, or all of a UI.

    Raises:
        Incomplete: there is no such cache.
        FormatError: it cannot be read.
    """
    found = list(_sources(path))
    if not found:
        raise Incomplete("hash.no_webui_cache", path=path)
    entries: list[Entry] = []
    for source in found:
        entries += _from_json(source) if source.suffix == ".json" else _from_database(source)
    return entries


def beside(path: Path) -> Path:
    """Return the models folder that belongs to a cache at `path`: the nearest above or in it."""
    places = [folder / "models" for folder in (path, *path.resolve().parents[:3])]
    return next((place for place in places if place.is_dir()), places[0])


def judge(entries: Iterable[Entry], models: Path) -> list[Judged]:
    """Say of each entry whether it can be believed, and of which file below `models` it speaks."""
    finder = _Finder(models)
    return _without_contradictions([_judge(entry, finder) for entry in entries])


def _sources(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    if (path / "cache.json").is_file():
        yield path / "cache.json"
    for place in (path / "cache.db", *(
        path / folder / section / "cache.db" for folder in ("cache", ".") for section in _SECTIONS
    )):  # fmt: skip
        if place.is_file():
            yield place


def _from_json(path: Path) -> Iterator[Entry]:
    with closing(InputFile(path)) as file:
        document = strict_json.load(file, limit=_JSON_LIMIT)
    for section, field in _SECTIONS.items():
        table = document.get(section)
        for title, value in (table if isinstance(table, dict) else {}).items():
            yield _entry(title, field, value)


def _from_database(path: Path) -> Iterator[Entry]:
    """Yield the entries of one section of a diskcache, which may be in use."""
    field = _SECTIONS.get(path.resolve().parent.name, "sha256")
    uri = f"file:{quote(path.resolve().as_posix())}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            query = "SELECT key, mode, filename, value FROM Cache WHERE raw = 1"
            rows = connection.execute(query).fetchall()
    except sqlite3.Error as error:
        raise FormatError("hash.bad_webui_cache", path=path, reason=error) from error
    for title, mode, filename, value in rows:
        data = _outside(path.parent, filename) if filename else value
        if mode == _PICKLED and isinstance(title, str) and isinstance(data, bytes):
            with suppress(FormatError):  # one broken value does not spoil the others
                yield _entry(title, field, read_pickle(data, path=path).value)


def _outside(folder: Path, filename: object) -> bytes | None:
    """Return a large value, which diskcache keeps in a file of its own inside its folder."""
    place = folder / str(filename)
    if ".." in place.parts or Path(str(filename)).is_absolute():
        return None
    try:
        with closing(InputFile(place)) as file:
            return file.read(0, file.size) if file.size <= _PICKLE_LIMIT else None
    except KannaError:
        return None


def _entry(title: str, field: str, value: object) -> Entry:
    table: Mapping[object, object] = value if isinstance(value, dict) else {}
    digest, mtime = table.get("sha256"), table.get("mtime")
    valid = isinstance(digest, str) and re.fullmatch("[0-9a-fA-F]{64}", digest)
    return Entry(
        title=title,
        field=field,
        mtime=float(mtime) if isinstance(mtime, int | float) else 0.0,
        sha256=str(digest).lower() if valid else None,
    )


def _judge(entry: Entry, finder: _Finder) -> Judged:
    if entry.sha256 is None:
        return Judged(entry=entry, fate="no_hash")
    if entry.title == "vae":
        return Judged(entry=entry, fate="shared_vae")
    places = finder.places(entry)
    names = {PurePosixPath(entry.name).name, *(place.name for place in places)}
    if entry.sha256 in map(name_hash, names):
        return Judged(entry=entry, fate="name_hash")
    if len(places) != 1:
        return Judged(entry=entry, fate="several_files" if places else "no_file")
    try:
        newer = places[0].stat().st_mtime > entry.mtime
    except OSError:
        return Judged(entry=entry, fate="no_file")
    return Judged(entry=entry, fate="stale" if newer else "taken", path=places[0])


def _without_contradictions(judged: Sequence[Judged]) -> list[Judged]:
    """Take nothing from entries that give one digest to files of different sizes."""
    sizes: defaultdict[tuple[str, str | None], set[int]] = defaultdict(set)
    for one in judged:
        if one.fate == "taken" and one.path is not None:
            sizes[one.entry.field, one.entry.sha256].add(one.path.stat().st_size)
    return [
        replace(one, fate="contradicts")
        if one.fate == "taken" and len(sizes[one.entry.field, one.entry.sha256]) > 1
        and one.entry.field == "sha256"
        else one
        for one in judged
    ]  # fmt: skip


class _Finder:
    """Finds the files that titles are about; walks through each folder once."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._stems: dict[Path, defaultdict[str, list[Path]]] = {}

    def places(self, entry: Entry) -> list[Path]:
        """Return the files that the entry may be about, from the first folder that has any."""
        for folder in _FOLDERS.get(entry.kind, ()):
            root = self._models / folder
            found = self._exact(root, entry.name) or self._walk(root)[entry.name]
            if found:
                return found
        return []

    def _exact(self, root: Path, name: str) -> list[Path]:
        relative = PurePosixPath(name)
        if not name or relative.is_absolute() or ".." in relative.parts or ":" in name:
            return []
        place = root / relative
        return [place] if place.is_file() else []

    def _walk(self, root: Path) -> defaultdict[str, list[Path]]:
        """Return the model files below `root` by their name without suffix."""
        if root not in self._stems:
            found = self._stems[root] = defaultdict(list)
            for folder, _, names in os.walk(root):
                for name in sorted(names):
                    path = Path(folder, name)
                    if path.suffix.lower() in MODEL_SUFFIXES:
                        found[path.stem].append(path)
        return self._stems[root]
