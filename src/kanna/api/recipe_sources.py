"""Where the files of a recipe are: at their paths, else by name or by SHA-256 in folders.

Nothing but the folders that a user named, the library, and what kanna has hashed before, is looked
through.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from kanna.api.hashing import hash_files
from kanna.api.looking_up import LookOptions, library_for
from kanna.api.reading import StrPath
from kanna.api.targets import hash_targets
from kanna.disk import Fingerprint, as_path, is_remote
from kanna.engine import Progress
from kanna.errors import Incompatible, Incomplete
from kanna.hashing.cache import HashCache
from kanna.hashing.place import existing_cache
from kanna.infotext.info import ModelReference
from kanna.merging.provenance import told_name
from kanna.merging.recipe import Recipe, Source

if TYPE_CHECKING:
    from kanna.catalog.matching import Match

State: TypeAlias = Literal["found", "missing", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Who is told of hashing: `tell` of each file before it is read, `progress` of the bytes."""

    tell: Callable[[Path], None] = lambda _: None
    progress: Callable[[Progress], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """What became of looking for one source.

    ``found`` at `path`; ``missing``; or ``other``: `path` has the name, but not the SHA-256.
    `sha256` is that of the file at `path`, where it is known. `in_library` says that nothing but
    the library led to it.
    """

    source: Source
    state: State
    path: Path | None = None
    sha256: str | None = None
    in_library: bool = False

    @property
    def renamed(self) -> bool:
        """Whether it was found under another name than the recipe has."""
        found = self.state == "found" and self.path is not None and self.source.path is not None
        return found and told_name(self.source, "") != self.path.name  # type: ignore[union-attr]


def find_sources(
    recipe: Recipe,
    folder: Path,
    models: Sequence[StrPath] = (),
    watching: Watching | None = None,
    look: LookOptions | None = None,
) -> dict[str, SourceFile]:
    """Return where each source of `recipe` is.

    Relative paths begin at `folder`, the recipe's. `models` are folders that are looked through
    with all that is in them; without any it is `folder` and the working folder alone. What is not
    there is looked for in the library that `look` names, the user's own by default: by SHA-256, by
    name where the recipe knows no digest and one file has just that name.

    Raises:
        KannaError: a file or the library cannot be read.
    """
    search = _Search(
        folder, [Path(one) for one in models], watching or Watching(), look or LookOptions()
    )
    return {name: search.find(source) for name, source in recipe.sources.items()}


def paths_of(found: Mapping[str, SourceFile]) -> dict[str, Path]:
    """Return the paths of sources that were all found.

    Raises:
        Incompatible: a file of that name is another one.
        Incomplete: one is missing.
    """
    for name, one in found.items():
        if one.state == "other":
            raise Incompatible("merge.other_file", path=one.path, name=name,
                               wanted=one.source.sha256, found=one.sha256)  # fmt: skip
    missing = [name for name, one in found.items() if one.state == "missing"]
    if missing:
        first = found[missing[0]].source
        raise Incomplete("recipe.sources_missing", names=", ".join(missing),
                         path=first.path or first.sha256)  # fmt: skip
    return {name: one.path for name, one in found.items() if one.path is not None}


class _Search:
    """Looks for files, and hashes each at most once."""

    def __init__(
        self, folder: Path, models: Sequence[Path], watching: Watching, look: LookOptions
    ) -> None:
        self._folder, self._models, self._watching = folder, models, watching
        self._look = look
        self._digests: dict[Path, str | None] = {}
        self._recalled: dict[Path, str | None] = {}
        self._listed: list[Path] | None = None

    def find(self, source: Source) -> SourceFile:
        if source.sha256 is None or is_remote(source.path or ""):
            path = next(self._named(source), None)
            if path is None:
                return self._in_library(source)
            return SourceFile(source=source, state="found", path=path)
        for path in self._candidates(source, source.sha256):
            if self._digest(path) == source.sha256:
                return SourceFile(source=source, state="found", path=path, sha256=source.sha256)
        there = self._in_library(source)
        if there.state == "found":
            return there
        path = next(self._named(source), None)
        if path is None:
            return SourceFile(source=source, state="missing")
        digest = self._digest(path)  # a folder has none to hold it to
        return SourceFile(source=source, state="other" if digest else "found", path=path,
                          sha256=digest)  # fmt: skip

    def _in_library(self, source: Source) -> SourceFile:
        """Look for a source in the library; what has a digest is read unless it is known."""
        for match in self._matches(source):
            if not match.present or match.certainty == "possible":
                continue
            if source.sha256 is None or self._digest(match.path) == source.sha256:
                return SourceFile(source=source, state="found", path=match.path,
                                  sha256=source.sha256, in_library=True)  # fmt: skip
        return SourceFile(source=source, state="missing")

    def _matches(self, source: Source) -> Sequence[Match]:
        if self._look.library_path is None or is_remote(source.path or ""):
            return ()
        from kanna.catalog.matching import Matcher

        name = told_name(source, "") if source.path is not None else None
        with library_for(self._look) as library:
            asked = ModelReference(role="unknown", name=name, digest=source.sha256)
            return Matcher(library, None).match(asked)

    def _named(self, source: Source) -> Iterator[Path]:
        """Yield the files that a source may be by its path, then those of its name."""
        yield from self._placed(source)
        if source.path is not None:
            name = told_name(source, "")
            yield from (one for one in self._all() if one.name == name)

    def _placed(self, source: Source) -> Iterator[Path]:
        """Yield the files that are where the recipe says."""
        if source.path is None:
            return
        path = as_path(source.path)
        if is_remote(path):
            yield path
            return
        places = [self._folder / path, *(folder / path for folder in self._models)]
        yield from (place for place in places if os.path.lexists(place))

    def _candidates(self, source: Source, sha256: str) -> Iterator[Path]:
        """Yield files that may have the digest, those that need not be read before others."""
        yield from self._placed(source)
        self._recall(self._all())
        yield from (path for path in self._all() if self._known(path) == sha256)
        place = existing_cache()
        if place is not None:
            with HashCache(place) as cache:
                known = [one.path for one in cache.files_with("sha256", sha256) if one.is_there]
            yield from known
        yield from self._named(source)
        yield from self._all()

    def _all(self) -> list[Path]:
        """Return the files of weights in the folders, each once."""
        if self._listed is None:
            shallow = [] if self._models else [self._folder, Path()]
            found = [one for folder in self._models for one in hash_targets(folder, recursive=True)]
            found += [one for folder in shallow for one in hash_targets(folder)]
            by_file: dict[object, Path] = {}
            for path in sorted(found):
                by_file.setdefault(_identity(path), path)
            self._listed = list(by_file.values())
        return self._listed

    def _known(self, path: Path) -> str | None:
        """Return the digest of a file that was hashed before, by whatever run."""
        if path in self._digests:
            return self._digests[path]
        self._recall([path])
        return self._recalled[path]

    def _recall(self, paths: Sequence[Path]) -> None:
        """Ask the cache for the digests of files, of each once."""
        new = [path for path in paths if path not in self._recalled]
        self._recalled |= dict.fromkeys(new)
        place = existing_cache()
        if new and place is not None:
            with HashCache(place) as cache:
                self._recalled |= {path: _digest_in(cache, path) for path in new}

    def _digest(self, path: Path) -> str | None:
        if path not in self._digests:
            self._digests[path] = self._hashed(path)
        return self._digests[path]

    def _hashed(self, path: Path) -> str | None:
        """Return the digest of a file, read unless it is known; None of a folder."""
        if not path.is_file():
            return None
        if self._known(path) is None:
            self._watching.tell(path)
        (hashed,) = hash_files([path], progress=self._watching.progress)
        return hashed.digests.sha256 if hashed.digests else None


def _digest_in(cache: HashCache, path: Path) -> str | None:
    try:
        found = cache.find(Fingerprint.of(path.stat()))
    except (OSError, ValueError):
        return None
    return found.digests.sha256 if found else None


def _identity(path: Path) -> object:
    """Return what tells files apart that have several names."""
    try:
        status = path.stat()
    except OSError:
        return path
    return status.st_dev, status.st_ino
