"""The files of a recipe: opened once each, hashed, and held to the hashes that it names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kanna.api.hashing import HashOptions, hash_files
from kanna.api.reading import StrPath, identified
from kanna.disk import as_path
from kanna.engine import Progress, RunOptions
from kanna.errors import Incompatible, Incomplete
from kanna.formats import open_model
from kanna.hashing.digests import Digests
from kanna.merging.recipe import Source
from kanna.ops.merge_inputs import Opened

Report = Callable[[Progress], None]


class Sources:
    """The open files of one or several recipes; the same file is opened once."""

    def __init__(self, stack: ExitStack, found: Mapping[str, StrPath] | None) -> None:
        """Begin; `stack` closes the files, `found` says where sources are that have moved."""
        self._stack, self._found = stack, found or {}
        self._opened: dict[Path, Opened] = {}

    def open(self, sources: Mapping[str, Source]) -> dict[str, Opened]:
        """Return an open file for each of `sources`, with its hash where the cache knows it.

        Raises:
            Incomplete: one is not to be found.
            Incompatible: one is known to be another file than the recipe was made with.
            KannaError: whatever is wrong with a file.
        """
        places = places_of(sources, self._found)
        found = {name: self._open(path) for name, path in places.items()}
        check_pins(sources, found)
        return found

    def _open(self, path: Path) -> Opened:
        if path not in self._opened:
            self._opened[path] = open_source(self._stack, path)
        return self._opened[path]


def open_source(stack: ExitStack, path: StrPath) -> Opened:
    """Return an open file, which `stack` closes, with its hashes where the cache knows them.

    Raises:
        KannaError: whatever is wrong with the file.
    """
    model = stack.enter_context(open_model(path))
    identity = identified(model, compare_ema=False)
    return _with(Opened(model=model, identity=identity), identity.hashes or {})


def places_of(sources: Mapping[str, Source], found: Mapping[str, StrPath]) -> dict[str, Path]:
    """Return where each source is: as `found` says, else at its path.

    Raises:
        Incomplete: neither tells of one.
    """
    places = {}
    for name, source in sources.items():
        place = found.get(name, source.path)
        if place is None:
            raise Incomplete("merge.not_found", path=source.sha256, name=name)
        places[name] = as_path(place)
    return places


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
