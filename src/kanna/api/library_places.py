"""Where a file goes between the active folders of a library and those that hold its backups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kanna.catalog.roots import Root, roots_of
from kanna.catalog.store import Library
from kanna.errors import UsageError

Places = Callable[[Path], Path]


def place_of_role(library: Library, role: str) -> Places:
    """Return what says in which folder of `role` a file has its place: the same as where it is.

    A root of the same kind comes first (LoRAs to LoRAs). Else the place is kept as seen from the
    program's folder: ``webui/models/Lora/x`` and ``backup/models/Lora/x`` belong together.

    Raises:
        UsageError: no root has that role.
    """
    roots = roots_of(library)
    others = [root for root in roots if root.role == role]
    if not others:
        raise UsageError("filing.no_roles", role=role)

    def place(path: Path) -> Path:
        own = _root_of(path, [root for root in roots if root.role != role])
        if own is None:
            raise UsageError("filing.no_root", path=path, role=role)
        places = list(dict.fromkeys(_places(path.parent, own, others)))
        if len(places) != 1:
            key = "filing.several_places" if places else "filing.no_place"
            shown = ", ".join(map(str, places))
            raise UsageError(key, path=path, role=role, places=shown)
        return places[0]

    return place


def _root_of(path: Path, roots: Sequence[Root]) -> Root | None:
    around = [root for root in roots if path.is_relative_to(root.path)]
    return max(around, key=lambda root: len(root.path.parts), default=None)


def _places(folder: Path, own: Root, others: Sequence[Root]) -> Iterator[Path]:
    """Yield where a folder's files may go; the first rule that gives a place counts."""
    inside = folder.relative_to(own.path)
    for rule in (_by_kind, _by_tree, _into_plain, _by_name):
        found = list(rule(folder, inside, own, others))
        if found:
            yield from found
            return


def _by_kind(_: Path, inside: Path, own: Root, others: Sequence[Root]) -> Iterator[Path]:
    """LoRAs to LoRAs: the root of the same kind."""
    yield from (root.path / inside for root in others if own.kind and root.kind == own.kind)


def _by_tree(_: Path, inside: Path, own: Root, others: Sequence[Root]) -> Iterator[Path]:
    """Back from a plain folder into the program's: where its path lies in a root."""
    if own.kind is None:
        for source in dict.fromkeys(root.source for root in others if root.kind):
            place = source / inside
            if any(place.is_relative_to(r.path) for r in others if r.source == source and r.kind):
                yield place


def _into_plain(folder: Path, inside: Path, own: Root, others: Sequence[Root]) -> Iterator[Path]:
    """Into a plain folder: the path as seen from the program's folder."""
    if own.kind is None:
        below = inside
    elif own.path.is_relative_to(own.source):
        below = folder.relative_to(own.source)
    else:  # the root is named in a settings file: its own name says what is in it
        below = own.path.name / inside
    yield from (root.path / below for root in others if root.kind is None)


def _by_name(_: Path, inside: Path, own: Root, others: Sequence[Root]) -> Iterator[Path]:
    """Back from a plain folder into a root that has the name of its first folder."""
    first = inside.parts[:1]
    if own.kind is None and first:
        rest = Path(*inside.parts[1:])
        yield from (root.path / rest for root in others if root.path.name == first[0])
