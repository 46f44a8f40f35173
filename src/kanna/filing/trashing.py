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
from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """A trash: where files go, where their infos go, and the folder that their paths begin at."""

    files: Path
    info: Path | None = None
    top: Path | None = None

    def said(self, path: Path) -> str:
        """Return the info of a file that was at `path`."""
        shown = path.relative_to(self.top) if self.top else path
        when = datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
        return f"[Trash Info]\nPath={quote(os.fsencode(shown))}\nDeletionDate={when}\n"


def trash_of(path: Path, own: Path) -> Trash:
    """Return the trash for the file at `path`; `own` is kanna's, for where there is no other."""
    if sys.platform in {"win32", "darwin", "cygwin"}:
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
    taken: set[str] = set()
    moves: list[Step] = []
    for member in subject.members:
        if member.shared:
            yield step_of_member(member, "leave", None)
            continue
        name = _free_name(member, trash, taken)
        moves.append(step_of_member(member, "move", trash.files / name))
        if trash.info is not None:
            text = trash.said(member.path)
            place = trash.info / f"{name}.trashinfo"
            yield Step(action="write", role="trashinfo", destination=place, size=len(text),
                       why="belongs", text=text)  # fmt: skip
    yield from moves


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


def _free_name(member: Member, trash: Trash, taken: set[str]) -> str:
    stem, dot, suffix = member.path.name.partition(".")
    for number in range(1, _TRIES):
        name = member.path.name if number == 1 else f"{stem}.{number}{dot}{suffix}"
        infos = [] if trash.info is None else [trash.info / f"{name}.trashinfo"]
        places = [trash.files / name, *infos]
        if name not in taken and not any(map(os.path.lexists, places)):
            taken.add(name)
            return name
    raise UsageError("filing.trash_full", path=trash.files)
