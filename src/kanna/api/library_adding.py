"""The folders of a library: added, listed, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanna.api.library_asking import open_library
from kanna.api.reading import StrPath
from kanna.catalog.place import library_path
from kanna.catalog.programs import Content as LibraryContent
from kanna.catalog.programs import Role as LibraryRole
from kanna.catalog.roots import Added as LibraryAdded
from kanna.catalog.roots import Loss as LibraryLoss
from kanna.catalog.roots import Root as LibraryRoot
from kanna.catalog.roots import add_source, forget, loss_of, roots_of
from kanna.catalog.store import Library
from kanna.errors import Incompatible

__all__ = [
    "LibraryAdded",
    "LibraryContent",
    "LibraryLoss",
    "LibraryRole",
    "LibraryRoot",
    "library_add",
    "library_forget",
    "library_roots",
]


def library_add(
    folders: Sequence[StrPath],
    *,
    role: LibraryRole = "active",
    content: LibraryContent = "both",
    dry_run: bool = False,
    library: StrPath | None = None,
) -> list[LibraryAdded]:
    """Take up folders, or settings files that name folders; nothing of them is read yet.

    A program's folder stands for those that it keeps models and pictures in. Without a library one
    is made.

    Raises:
        Incomplete: there is no such folder, or none follows from it.
        UsageError: it is a file, and none that names folders.
        KannaError: the library cannot be written.
    """
    place = library_path() if library is None else Path(library)
    with _opened(place, dry_run=dry_run) as opened:
        return [
            add_source(opened, Path(folder), role=role, content=content, dry_run=dry_run)
            for folder in folders
        ]


def _opened(place: Path, *, dry_run: bool) -> Library:
    """Open a library, or one in memory where a dry run would have to make one."""
    return Library(Path(":memory:") if dry_run and not place.exists() else place)


def library_roots(*, library: StrPath | None = None) -> list[LibraryRoot]:
    """Return the folders that are looked through.

    Raises:
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        return roots_of(opened)


def library_forget(
    folder: StrPath, *, force: bool = False, dry_run: bool = False, library: StrPath | None = None
) -> LibraryLoss:
    """Take a folder out of the library, with all that it knows of files in it; return what.

    The files themselves stay as they are.

    Raises:
        Incomplete: there is no library, or it does not look through `folder`.
        Incompatible: tags or notes would be lost, and `force` is not set.
    """
    with open_library(library) as opened:
        loss = loss_of(opened, Path(folder))
        if not dry_run:
            if (loss.tagged or loss.noted) and not force:
                raise Incompatible("library.tags_lost", path=folder, tagged=loss.tagged,
                                   noted=loss.noted)  # fmt: skip
            forget(opened, Path(folder))
        return loss
