"""The system's trash, as desktops keep it, and kanna's own where there is none.

What goes to the trash is moved there as any set is; a ``.trashinfo`` file says where it came from,
so that a file manager can bring it back, too. Each disk has its own trash, so nothing is copied.
Where a disk can have none, and on systems whose trash is no folder (Windows, macOS), kanna's own
is the folder ``trash`` beside its journals.
Source: freedesktop.org, The FreeDesktop.org Trash specification 1.0.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kanna.engine.staging import existing_folder
from kanna.errors import UsageError
from kanna.filing.checking import check_sources
from kanna.filing.planning import step_of_member
from kanna.filing.subjects import Member, Subject
from kanna.filing.values import Step

_TRIES: Final = 100_000
_HAS_FOLDERS: Final = sys.platform not in {"win32", "darwin", "cygwin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """A trash: where files go, where their infos go, and the folder that their paths begin at."""

    files: Path
    info: Path | None = None
    top: Path | None = None

    def said(self, path: Path) -> str:
        """Return the info of a file that was at `path`."""
        real = path.parent.resolve() / path.name
        shown = real.relative_to(self.top) if self.top else path
        when = datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
        return f"[Trash Info]\nPath={quote(os.fsencode(shown))}\nDeletionDate={when}\n"


def trash_of(path: Path, own: Path) -> Trash:
    """Return the trash for the file at `path`; `own` is kanna's, for where there is no other."""
    if not _HAS_FOLDERS:
        return Trash(files=own)
    base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "Trash"
    device = path.parent.stat().st_dev
    if existing_folder(base).stat().st_dev == device:
        return _trash(base, None)
    top = _top(path.parent, device)
    shared, private = top / ".Trash", top / f".Trash-{os.getuid()}"
    if _is_shared(shared):
        return _trash(shared / str(os.getuid()), top)
    if _is_usable(private, top):
        return _trash(private, top)
    return Trash(files=own)


def trash_steps(subject: Subject, trash: Trash) -> Iterator[Step]:
    """Yield the steps that bring a model and its companions to the trash, infos first.

    Raises:
        KannaError: a source cannot go.
        OSError: it is not allowed.
    """
    check_sources(subject, taken=True)
    if subject.path.is_relative_to(trash.files):
        raise UsageError("filing.in_trash", path=subject.path)
    names = _free_names(subject, trash)
    if trash.info is not None:
        for member in subject.members:
            if not member.shared:
                yield _info_step(member, trash, trash.info / f"{names[member.path]}.trashinfo")
    for member in subject.members:
        if member.shared:
            yield step_of_member(member, "leave", None)
        else:
            yield step_of_member(member, "move", trash.files / names[member.path])


def _info_step(member: Member, trash: Trash, place: Path) -> Step:
    text = trash.said(member.path)
    return Step(
        action="write", role="trashinfo", destination=place, size=len(text), why="belongs",
        text=text,
    )  # fmt: skip


def _trash(base: Path, top: Path | None) -> Trash:
    return Trash(files=base / "files", info=base / "info", top=top)


def _top(folder: Path, device: int) -> Path:
    """Return the outermost folder of the disk that `folder` is on."""
    real = folder.resolve()
    inside = [real]
    for above in real.parents:
        if above.stat().st_dev != device:
            break
        inside.append(above)
    return inside[-1]


def _is_shared(place: Path) -> bool:
    """Whether a folder is one for everybody's trash: real, and sticky."""
    with suppress(OSError):
        mode = place.lstat().st_mode
        return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX) and os.access(place, os.W_OK)
    return False


def _is_usable(place: Path, top: Path) -> bool:
    """Whether a folder is this user's trash, or can become it."""
    try:
        status = place.lstat()
    except FileNotFoundError:
        return os.access(top, os.W_OK)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and os.access(place, os.W_OK)


def _free_names(subject: Subject, trash: Trash) -> dict[Path, str]:
    """Return a name in the trash for each member, all with the same number where one is needed.

    Raises:
        UsageError: there is none.
    """
    for number in range(1, _TRIES):
        names = {member.path: _numbered(member, subject.stem, number) for member in subject.members}
        if not any(map(os.path.lexists, _places(trash, names.values()))):
            return names
    raise UsageError("filing.trash_full", path=trash.files)


def _numbered(member: Member, stem: str, number: int) -> str:
    name = member.path.name
    if number == 1:
        return name
    behind = name[len(stem) :] if name.startswith(stem) else f".{name}"
    return f"{stem}.{number}{behind}"


def _places(trash: Trash, names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        yield trash.files / name
        if trash.info is not None:
            yield trash.info / f"{name}.trashinfo"
