"""Going through folders: every model and picture below the roots, each real folder once.

What comes out is sorted by path, so that it can be compared with the library row by row. Links to
folders are followed, unless they lead into another root, which has its own turn; loops end because
no folder is entered twice. Hidden folders, and those of programs, are left out unless a root is in
them. A folder that cannot be read, or a link that leads nowhere now, says nothing about what is
below it: `Walk.unreached` names it, and rows from there count neither as seen nor as gone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from kanna.catalog.programs import skipped_names
from kanna.catalog.roots import Root
from kanna.formats import MODEL_SUFFIXES
from kanna.formats.folder import LEFTOVERS_FILE
from kanna.pictures import PICTURE_SUFFIXES

Table: TypeAlias = Literal["file", "image"]
_SUFFIXES: Final[Mapping[str, Table]] = {
    **dict.fromkeys(PICTURE_SUFFIXES, "image"), **dict.fromkeys((*MODEL_SUFFIXES, ".json"), "file"),
}  # fmt: skip
_SKIPPED: Final = skipped_names()
_FOLDER_INDEX: Final = "model_index.json"
_INDEX: Final = re.compile(r"(.+)\.(?:safetensors|bin)\.index(?:(\.\w+))?\.json", re.IGNORECASE)
_SHARD: Final = re.compile(r"(.+)-\d{5}-of-\d{5}((?:\.\w+)?)\.(?:safetensors|bin)", re.IGNORECASE)


class Seen(NamedTuple):
    """A model or a picture that is there: where, of which root, and in which state."""

    table: Table
    path: str
    root: int | None
    fingerprint: str
    size: int
    mtime_ns: int


class Unreached(NamedTuple):
    """A place below which nothing could be seen, and why."""

    path: str
    reason: str


class _Enter(NamedTuple):
    """A folder that is still to be gone through; `passing` only on the way to a root below it."""

    path: str
    root: Root | None
    passing: bool = False
    in_model: bool = False


class Walk:
    """Goes through the folders of a library; use one for all of them."""

    def __init__(self, roots: Sequence[Root], left_out: Iterable[Path] = ()) -> None:
        """Begin; `roots` are all roots of the library, whether they are gone through or not.

        What is below the folders `left_out` is not looked at, but for roots in them.
        """
        self.unreached: list[Unreached] = []
        self._left_out = {os.fspath(path) for path in left_out}
        self._by_path = {os.fspath(root.path): root for root in roots}
        self._by_identity = {key: root for root in roots if (key := _identity(root.path))}
        self._real = {path: os.path.realpath(path) for path in self._by_path}
        self._on_the_way = {os.fspath(p) for root in roots for p in (root.path, *root.path.parents)}
        self._entered: set[tuple[int, int]] = set()
        starts = self.starts()
        # roots that are gone through at their own path
        self._turns = {path for path in self._by_path if any(is_below(path, s) for s in starts)}

    def starts(self) -> list[str]:
        """Return where to begin, so that all roots are reached: those that are in no other one."""
        outer: list[str] = []
        for path in sorted(self._by_path, key=lambda path: (len(self._real[path]), path)):
            real = self._real[path]
            if not any(is_below(path, o) or is_below(real, self._real[o]) for o in outer):
                outer.append(path)
        return sorted(outer)

    def through(self, start: str) -> Iterator[Seen]:
        """Yield what is at and below `start`, in the order of paths."""
        root = self._around(start)
        model = self._as_folder(start, root)
        if model is not None:
            yield model
        first = _Enter(start, root, passing=root is None, in_model=model is not None)
        waiting = [iter(self._inside(first))]
        while waiting:
            item = next(waiting[-1], None)
            if item is None:
                waiting.pop()
            elif isinstance(item, Seen):
                yield item
            else:
                waiting.append(iter(self._inside(item)))

    def _around(self, start: str) -> Root | None:
        """Return the innermost root that `start` is in."""
        path = Path(start)
        places = (os.fspath(place) for place in (path, *path.parents))
        return next((self._by_path[place] for place in places if place in self._by_path), None)

    def _inside(self, enter: _Enter) -> list[Seen | _Enter]:
        """Return what is in one folder, in the order of paths."""
        key = _identity(enter.path)
        if key is not None and key in self._entered:
            return []
        try:
            with os.scandir(enter.path) as listed:
                entries = list(listed)
        except OSError as error:
            self.unreached.append(Unreached(enter.path, error.strerror or str(error)))
            return []
        self._entered |= {key} if key is not None else set()
        found: list[tuple[str, Seen | _Enter]] = []
        files: list[os.DirEntry[str]] = []
        for entry in entries:
            if _is_folder(entry):
                found += self._folder(entry, enter)
            else:
                files.append(entry)
        if enter.root is not None and not enter.passing:
            found += self._files(files, enter.root)
        found.sort(key=_first)
        return [item for _, item in found]

    def _folder(
        self, entry: os.DirEntry[str], enter: _Enter
    ) -> Iterator[tuple[str, Seen | _Enter]]:
        path, name = entry.path, entry.name
        hidden = (
            path in self._left_out or _is_skipped(name) or (enter.in_model and name.isidentifier())
        )
        other = enter.passing or hidden or (entry.is_symlink() and self._leads_to_root(path))
        if other and path not in self._on_the_way:
            return
        here = self._by_path.get(path)
        own = here or self._by_identity.get(_identity(path) or (0, 0))
        if own is not None and here is None and os.fspath(own.path) in self._turns:
            return  # reached through a link; it has its own turn
        root, passing = own or enter.root, own is None and (enter.passing or hidden)
        model = None if passing else self._as_folder(path, root)
        if model is not None:
            yield name, model
        yield name + os.sep, _Enter(path, root, passing, in_model=model is not None)

    def _leads_to_root(self, path: str) -> bool:
        real = os.path.realpath(path)
        return any(is_below(real, other) for other in self._real.values())

    def _as_folder(self, path: str, root: Root | None) -> Seen | None:
        """Return a folder that is a model in the layout of diffusers."""
        if root is None or root.content == "images":
            return None
        if not os.path.isfile(os.path.join(path, _FOLDER_INDEX)):  # noqa: PTH113, PTH118 - names may be too long
            return None
        try:
            return _whole_folder(path, root.id)
        except OSError as error:
            self.unreached.append(Unreached(path, error.strerror or str(error)))
            return None

    def _files(self, entries: Sequence[os.DirEntry[str]], root: Root) -> Iterator[tuple[str, Seen]]:
        """Yield the models and pictures among the files of a folder, by name."""
        inner = _shards({entry.name for entry in entries})
        kinds = {entry.name: _SUFFIXES.get(_suffix(entry.name)) for entry in entries}
        models = {n for n, kind in kinds.items() if kind == "file" and _is_model(n, inner)}
        stems = {_stem(name) for name in models}
        for entry in entries:
            name, table = entry.name, kinds[entry.name]
            shown = table == "image" and bool(stems) and _shown(name) in stems
            if name.startswith(".") or (table == "file" and name not in models) or shown:
                continue
            if table is None:
                self._lost(entry)
            elif root.content in {"both", "models" if table == "file" else "images"}:
                try:
                    shards = [e for e in entries if inner.get(e.name) == name] if inner else ()
                    yield name, _seen(table, entry, root.id, shards)
                except OSError as error:
                    self.unreached.append(Unreached(entry.path, error.strerror or str(error)))

    def _lost(self, entry: os.DirEntry[str]) -> None:
        """Note a link that leads nowhere: to a folder, perhaps, on a disk that is missing."""
        if entry.is_symlink() and _identity(entry.path) is None:
            self.unreached.append(Unreached(entry.path, ""))


def _seen(
    table: Table, entry: os.DirEntry[str], root: int, shards: Sequence[os.DirEntry[str]]
) -> Seen:
    status = _status(entry)
    size, mtime = status.st_size, status.st_mtime_ns
    for shard in shards:
        more = _status(shard)
        size, mtime = size + more.st_size, max(mtime, more.st_mtime_ns)
    state = f"{status.st_dev}:{status.st_ino}:{size}:{mtime}"
    return Seen(table, entry.path, root, state, size, mtime)


def _whole_folder(path: str, root: int) -> Seen:
    """Return a model folder: its state is that of all files in it and in its components."""
    status = os.stat(path)  # noqa: PTH116 - as fast as it goes
    size, mtime = 0, status.st_mtime_ns
    with os.scandir(path) as entries:
        inner = [entry for entry in entries if entry.name.isidentifier() and entry.is_dir()]
    for component in inner:
        with os.scandir(component.path) as entries:
            for entry in entries:
                if entry.is_file():
                    more = _status(entry)
                    size, mtime = size + more.st_size, max(mtime, more.st_mtime_ns)
    state = f"{status.st_dev}:{status.st_ino}:{size}:{mtime}"
    return Seen("file", path, root, state, size, mtime)


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    # Windows' listings know neither device nor file number.
    return os.stat(entry.path) if os.name == "nt" else entry.stat()  # noqa: PTH116


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - as fast as it goes
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or something in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED


def _is_model(name: str, shards: Mapping[str, str]) -> bool:
    """Whether a file that may be a model is one of its own: no shard, no other JSON."""
    if name == LEFTOVERS_FILE or name in shards:
        return False
    return not name.endswith(".json") or _INDEX.fullmatch(name) is not None


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - much faster than a path


def _first(pair: tuple[str, object]) -> str:
    return pair[0]


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122


def _shown(name: str) -> str:
    """Return the stem of the model that a picture would be shown for."""
    return _stem(name).removesuffix(".preview")


def _shards(names: set[str]) -> dict[str, str]:
    """Map shards to the index beside them that they belong to."""
    indexes = {match[1] + (match[2] or ""): name for name in names
               if name.endswith(".json") and (match := _INDEX.fullmatch(name))}  # fmt: skip
    if not indexes:
        return {}
    shards = {name: match[1] + match[2] for name in names if (match := _SHARD.fullmatch(name))}
    return {name: indexes[base] for name, base in shards.items() if base in indexes}
