"""The folders of a library: added, listed, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanna.api.library_asking import open_library
from kanna.api.reading import StrPath
from kanna.catalog.place import library_path
from kanna.catalog.programs import Content, Role
from kanna.catalog.roots import Added, Loss, Root, add_source, forget, loss_of, roots_of
from kanna.catalog.store import Library
from kanna.errors import Incompatible


def library_add(
    folders: Sequence[StrPath],
    *,
    role: Role = "active",
    content: Content = "both",
    library: StrPath | None = None,
) -> list[Added]:
    """Take up folders, or settings files that name folders; nothing of them is read yet.

    A program's folder stands for those that it keeps models and pictures in. Without a library one
    is made.

    Raises:
        Incomplete: there is no such folder, or none follows from it.
        UsageError: it is a file, and none that names folders.
        KannaError: the library cannot be written.
    """
    place = library_path() if library is None else Path(library)
    with Library(place) as opened:
        return [add_source(opened, Path(folder), role=role, content=content) for folder in folders]


def library_roots(*, library: StrPath | None = None) -> list[Root]:
    """Return the folders that are looked through.

    Raises:
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        return roots_of(opened)


def library_forget(
    folder: StrPath, *, force: bool = False, dry_run: bool = False, library: StrPath | None = None
) -> Loss:
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
