"""The files of a recipe: found by path or by hash, opened once each, and hashed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kanna.api.hashing import HashOptions, hash_files
from kanna.api.reading import StrPath, identified
from kanna.api.targets import hash_targets
from kanna.disk import as_path, is_remote
from kanna.engine import Progress, RunOptions
from kanna.errors import Incompatible, Incomplete
from kanna.formats import open_model
from kanna.hashing.cache import HashCache
from kanna.hashing.digests import Digests
from kanna.hashing.place import existing_cache
from kanna.merging.recipe import Source
from kanna.ops.merge_inputs import Opened

Report = Callable[[Progress], None]


class Sources:
    """The open files of one or several recipes; the same file is opened once."""

    def __init__(
        self,
        stack: ExitStack,
        folders: Sequence[StrPath],
        found: Mapping[str, StrPath] | None = None,
    ) -> None:
        """Begin; `stack` closes the files, `folders` are where those are looked for that moved.

        `found` says where sources are, by their names, so that they are not looked for.
        """
        self._stack, self._folders = stack, [Path(folder) for folder in folders]
        self._found = found or {}
        self._opened: dict[Path, Opened] = {}

    def open(self, sources: Mapping[str, Source]) -> dict[str, Opened]:
        """Return an open file for each of `sources`, with its hash where the cache knows it.

        Raises:
            Incomplete: one is not to be found.
            Incompatible: one is known to be another file than the recipe was made with.
            KannaError: whatever is wrong with a file.
        """
        found = {name: self._open(self._find(name, source)) for name, source in sources.items()}
        check_pins(sources, found)
        return found

    def _open(self, path: Path) -> Opened:
        if path not in self._opened:
            model = self._stack.enter_context(open_model(path))
            identity = identified(model, compare_ema=False)
            known = identity.hashes or {}
            self._opened[path] = _with(Opened(model=model, identity=identity), known)
        return self._opened[path]

    def _find(self, name: str, source: Source) -> Path:
        """Return where a source is: at its path, under its name in a folder, or by its hash."""
        if name in self._found:
            return as_path(self._found[name])
        if source.path is not None:
            path = as_path(source.path)
            places = [path, *(folder / path for folder in self._folders)]
            places += [folder / path.name for folder in self._folders]
            for place in dict.fromkeys(places):
                if is_remote(place) or os.path.lexists(place):
                    return place
        by_hash = find_by_hash(source.sha256, self._folders) if source.sha256 else None
        if by_hash is None:
            raise Incomplete("merge.not_found", path=source.path or source.sha256, name=name)
        return by_hash


def find_by_hash(sha256: str, folders: Iterable[Path]) -> Path | None:
    """Return the file with this SHA-256: one that the cache knows, else one in `folders`."""
    place = existing_cache()
    if place is not None:
        with HashCache(place) as cache:
            for known in cache.files_with("sha256", sha256):
                if known.is_there:
                    return known.path
    targets = [target for folder in folders for target in hash_targets(folder)]
    for file in hash_files(targets):
        if file.digests is not None and file.digests.sha256 == sha256:
            return file.path
    return None


def digests_of(
    models: Iterable[Opened],
    options: RunOptions | None,
    progress: Report | None,
    cancel: threading.Event | None,
) -> dict[Path, Digests]:
    """Return the digests of those of `models` that are single files and were never hashed.

    Raises:
        KannaError: one cannot be read.
    """
    unknown = [one.model.path for one in models if not one.sha256 and len(one.model.files) == 1]
    wanted = HashOptions(threads=options.threads if options else None)
    found: dict[Path, Digests] = {}
    for file in hash_files(list(dict.fromkeys(unknown)), wanted, progress=progress, cancel=cancel):
        if file.error is not None:
            raise file.error
        if file.digests is not None:
            found[file.path] = file.digests
    return found


def with_digests(opened: Opened, known: Mapping[Path, Digests]) -> Opened:
    """Return a file with its digests, if they are among those that are `known`."""
    digests = known.get(opened.model.path)
    return _with(opened, digests.to_json()) if digests else opened


def check_pins(sources: Mapping[str, Source], opened: Mapping[str, Opened]) -> None:
    """Refuse files that are not those whose hashes the recipe has, as far as they are known.

    Raises:
        Incompatible: one is another file.
    """
    for name, one in opened.items():
        wanted = sources[name].sha256
        if wanted and one.sha256 and wanted.lower() != one.sha256:
            raise Incompatible("merge.other_file", path=one.model.path, name=name, wanted=wanted,
                               found=one.sha256)  # fmt: skip


def _with(opened: Opened, known: Mapping[str, object]) -> Opened:
    """Return a file with the digests of a JSON document."""
    sha256, autov1 = known.get("sha256"), known.get("autov1")
    return replace(opened, sha256=str(sha256) if sha256 else None,
                   autov1=str(autov1) if autov1 else None)  # fmt: skip
