"""Names given to files that are there, and taken from them: each call is one step on the disk.

What has a name already never loses it to another file: every call here fails where the destination
exists. What can be done in one step is; `CannotLink` and `OtherDisk` say what cannot.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kanna.disk import system
from kanna.disk.folders import sync_folder
from kanna.disk.reading import Fingerprint
from kanna.disk.writing import cannot, claim


class OtherDiskError(OSError):
    """The destination is on another file system."""


class CannotLinkError(OSError):
    """The file system has no second names for files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands under a name: a ``file``, a ``folder``, a ``link`` or something ``other``."""

    kind: str
    state: Fingerprint
    mode: int


def look(path: Path, *, follow: bool = False) -> Entry | None:
    """Return what stands at `path` itself, or where it leads; None where there is nothing.

    Raises:
        OSError: the system cannot tell.
    """
    try:
        status = path.stat(follow_symlinks=follow)
    except (FileNotFoundError, NotADirectoryError):
        return None
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    return Entry(kind=kind, state=Fingerprint.of(status), mode=status.st_mode)


def look_through(folder: Path) -> Iterator[tuple[str, Entry]]:
    """Yield everything below `folder` by its path in it, folders before what they hold.

    Links are not followed.

    Raises:
        OSError: a folder cannot be read.
    """
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        entry = look(folder / name)
        if entry is None:
            continue
        yield name, entry
        if entry.kind == "folder":
            for inner, below in look_through(folder / name):
                yield f"{name}/{inner}", below


def is_one_folder(one: Path, other: Path) -> bool:
    """Whether two paths lead to one folder, also where it is mounted twice.

    A network drive that is mounted under two names has two device numbers, so only a file tells
    that is made in one of them for a moment.

    Raises:
        OSError: a folder is not there, or cannot be written to.
    """
    if one.samefile(other):
        return True
    import tempfile  # seldom needed, and slow to load

    with tempfile.NamedTemporaryFile(prefix=".kanna-", dir=one) as file:
        return os.path.lexists(other / Path(file.name).name)


def is_other_case(name: Path, other: Path) -> bool:
    """Whether two paths are one name, of which a disk that ignores capitals knows one spelling.

    Raises:
        OSError: their folder cannot be read.
    """
    if name.parent != other.parent or name.name == other.name:
        return False
    if name.name.casefold() != other.name.casefold() or not os.path.lexists(name):
        return False
    listed = os.listdir(name.parent)  # noqa: PTH208 - names
    return os.path.lexists(other) and not {name.name, other.name} <= set(listed)


def give_second_name(source: Path, destination: Path) -> None:
    """Let `destination` be another name of the file at `source`.

    Raises:
        FileExistsError: `destination` exists.
        OtherDiskError: it would be on another file system.
        CannotLinkError: the file system has no second names.
        OSError: it is not allowed, or the disk fails.
    """
    try:
        os.link(source, destination, follow_symlinks=False)
    except NotImplementedError as error:
        raise CannotLinkError(errno.ENOTSUP, str(error)) from error
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise OtherDiskError(error.errno, error.strerror) from error
        if cannot(error):
            raise CannotLinkError(error.errno, error.strerror) from error
        raise
    sync_folder(destination.parent)


def rename(source: Path, destination: Path) -> None:
    """Rename a file or a folder in one step.

    Raises:
        FileExistsError: `destination` exists.
        OtherDiskError: it would be on another file system.
        OSError: it is not allowed, or the disk fails.
    """
    try:
        if sys.platform == "win32" or is_other_case(source, destination):
            source.rename(destination)
        elif source.is_dir() and not source.is_symlink():
            if os.path.lexists(destination):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
            source.rename(destination)
        else:
            claim(source, destination)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise OtherDiskError(error.errno, error.strerror) from error
        raise
    sync_folder(destination.parent)
    sync_folder(source.parent)


def link_target(source: Path, destination: Path) -> str:
    """Return what a link that moves must say, so that it leads where it led.

    Raises:
        OSError: `source` is no link.
    """
    target = os.readlink(source)  # noqa: PTH115 - as it is written, not as a path
    if os.path.isabs(target):  # noqa: PTH117 - a text
        return target
    led = os.path.normpath(source.parent / target)
    return os.path.relpath(led, destination.parent)


def make_link(target: str, destination: Path) -> None:
    """Make a symbolic link.

    Raises:
        FileExistsError: `destination` exists.
        OSError: links cannot be made there.
    """
    destination.symlink_to(target)
    sync_folder(destination.parent)


def remove(path: Path) -> None:
    """Take its name from a file or a link.

    Raises:
        OSError: it is not allowed, or it is not there.
    """
    path.unlink()
    sync_folder(path.parent)


def remove_folder(path: Path) -> bool:
    """Remove a folder if it is empty; return whether it is gone."""
    try:
        path.rmdir()
    except OSError:
        return not os.path.lexists(path)
    sync_folder(path.parent)
    return True


def keep_attributes(source: int, destination: int, path: Path) -> None:
    """Give an open file at `path` the permissions, time and extended attributes of another one."""
    status = os.fstat(source)
    if sys.platform == "linux":
        with suppress(OSError):  # file systems without them
            for name in os.listxattr(source):
                if name.startswith("user."):
                    os.setxattr(destination, name, os.getxattr(source, name))
    if hasattr(os, "fchmod"):
        with suppress(OSError):  # file systems without permissions
            os.fchmod(destination, stat.S_IMODE(status.st_mode))
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(destination if os.utime in os.supports_fd else path, ns=times)


def longest_name(folder: Path) -> int:
    """Return how many bytes a name in `folder` may have."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        return 255


def append(fd: int, data: bytes) -> None:
    """Write all of `data` at the end of an open file, and wait until it is on the medium."""
    from kanna.disk.writing import sync

    view = memoryview(data)
    while view:
        with system.position:
            view = view[os.write(fd, view) :]
    sync(fd)
