"""What lies in an inbox: models with the files beside them, and which are still on their way.

An item is a model file with its companions, an index with its shards, or a folder of diffusers.
Shards without their index, and an index without all its shards, are on their way: whoever fetches
them one by one may need an hour for each.
Sources of the marks of downloads: Chromium and Firefox (``.crdownload``, ``.part``), Safari
(``.download``), aria2 (a control file NAME.aria2), wget2/curl wrappers and rsync (``.tmp``,
``.partial``), huggingface_hub (``.incomplete``), qBittorrent (``.!qB``), BITS and IDM (``.bits``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from kanna.filing.companions import INDEX, Listing, owner_of_vae, stem_of
from kanna.formats import MODEL_SUFFIXES

DOWNLOADS: Final = (
    ".crdownload", ".part", ".download", ".aria2", ".tmp", ".partial", ".incomplete", ".!qb",
    ".bits",
)  # fmt: skip
_FOLDER_MARK: Final = "model_index.json"
_SHARD: Final = re.compile(
    r"(?P<stem>.+)-\d{5}-of-(?P<total>\d{5})(?P<variant>\.\w+)?\.(?:safetensors|bin)", re.IGNORECASE
)
# Size and time of every file of an item: whatever changes one of them, it is not at rest.
State: TypeAlias = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that landed: the model at `path`, and the `state` of it and all that belongs to it.

    `coming` says that a download of it is under way.
    """

    path: Path
    state: State
    coming: bool = False

    @property
    def name(self) -> str:
        """What to call it."""
        return self.path.name

    def unchanged(self) -> bool:
        """Whether all its files are as they were when it was seen."""
        return all(_state(Path(name)) == (name, *rest) for name, *rest in self.state)


def landed(inbox: Path, apart: Collection[Path] = ()) -> list[Item]:
    """Return what lies in `inbox` and below, but not in the folders `apart`, by name.

    Raises:
        OSError: the inbox cannot be read.
    """
    return sorted(_items(inbox, frozenset(apart)), key=lambda item: item.path)


def _items(folder: Path, apart: frozenset[Path]) -> Iterator[Item]:
    with os.scandir(folder) as found:
        entries = {entry.name: entry for entry in found if not entry.name.startswith(".")}
    if _FOLDER_MARK in entries:
        yield _item(folder, _tree(folder))
        return
    files = {name: Path(entry.path) for name, entry in entries.items() if _is_file(entry)}
    listing = Listing.of(folder)
    for name, path in files.items():
        if _leads(name, files, listing):
            beside = (files[one] for one in files if _belongs(one, name))
            yield _item(path, beside, coming=not _is_whole(name, files))
    for entry in entries.values():
        if entry.is_dir(follow_symlinks=False) and Path(entry.path) not in apart:
            yield from _below(Path(entry.path), apart)


def _below(folder: Path, apart: frozenset[Path]) -> Iterator[Item]:
    try:
        yield from _items(folder, apart)
    except OSError:  # it went, or nobody may look: it is no item
        return


def _leads(name: str, files: Collection[str], listing: Listing) -> bool:
    """Whether `name` is the file by which an item is called."""
    if INDEX.fullmatch(name):
        return True
    if Path(name).suffix.lower() not in MODEL_SUFFIXES or owner_of_vae(name, listing):
        return False
    whole = _shards_of(name)
    return whole is None or not any(_index_of(one) == whole for one in files)


def _belongs(name: str, leader: str) -> bool:
    """Whether the file `name` is part of, or lies beside, the model called `leader`.

    Whatever is called like it counts, not companions alone: a download may have any mark.
    """
    index = _index_of(leader)
    stem = stem_of(leader)
    beside = name in {leader, stem} or name.startswith(f"{stem}.")
    return beside or (index is not None and _shards_of(name) == index)


def _is_whole(leader: str, files: Collection[str]) -> bool:
    """Whether all shards are there, as far as names tell."""
    index = _index_of(leader)
    if index is None:
        return _shards_of(leader) is None
    shards = [
        match for one in files if _shards_of(one) == index and (match := _SHARD.fullmatch(one))
    ]
    return bool(shards) and len(shards) >= int(shards[0]["total"])


def _index_of(name: str) -> str | None:
    """Return what an index has in common with its shards."""
    found = INDEX.fullmatch(name)
    return found and found["stem"] + (found["variant"] or "")


def _shards_of(name: str) -> str | None:
    """Return what a shard has in common with its index."""
    found = _SHARD.fullmatch(name)
    return found and found["stem"] + (found["variant"] or "")


def _item(path: Path, files: Iterable[Path], *, coming: bool = False) -> Item:
    state = tuple(one for file in sorted(files) if (one := _state(file)) is not None)
    marked = any(name.lower().endswith(DOWNLOADS) for name, _, _ in state)
    return Item(path=path, state=state, coming=coming or marked)


def _state(file: Path) -> tuple[str, int, int] | None:
    try:
        status = file.stat()
    except OSError:  # it went a moment ago: the next look sees another state
        return None
    return (str(file), status.st_size, status.st_mtime_ns)


def _tree(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False
