"""Files in the making: written at any place, by any thread, and published in one step."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from kanna.disk import system
from kanna.disk.folders import sync_folder
from kanna.disk.reading import InputFile
from kanna.errors import FormatError

if sys.platform != "win32":
    import fcntl

_CREATE_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip
# What a file system answers that cannot copy between these two files, or has no hard links.
_CANNOT: Final = frozenset(
    getattr(errno, name, -1)
    for name in ("EXDEV", "EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EPERM", "EMLINK", "ETXTBSY")
)
# Larger writes ask the page cache for larger pages, which can take five times as long to find.
_WRITE_CHUNK: Final = 1 << 18


class OutputFile:
    """A new file, locked for this process, that gets its final name once it is complete."""

    __slots__ = ("fd", "path")

    def __init__(self, path: Path) -> None:
        """Create `path`, which must not exist; the umask and folder defaults apply.

        Raises:
            FileExistsError: it exists, or another process took it for a leftover just now.
            OSError: it cannot be created there.
        """
        self.path = path
        self.fd = os.open(path, _CREATE_FLAGS, 0o666)
        try:
            lock(self.fd)
            ours = self.is_at(path)
        except OSError as error:  # a file system without locks: nobody removes leftovers there
            ours = not isinstance(error, BlockingIOError)
        if not ours:
            self.close()
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))

    def reserve(self, size: int) -> None:
        """Make the file `size` bytes long, with the space for them set aside where possible."""
        if size and not system.PLAIN and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self.fd, 0, size)
        else:
            os.truncate(self.fd, size)

    def write(self, data: memoryview, offset: int) -> None:
        """Write all of `data` at `offset`."""
        done = 0
        while done < len(data):
            room = _WRITE_CHUNK - (offset + done) % _WRITE_CHUNK
            done += write_at(self.fd, data[done : done + room], offset + done)
        self._begin_writeback(offset, len(data))

    def move(self, source: InputFile, start: int, length: int, offset: int) -> None:
        """Copy `length` bytes of `source` from `start` to `offset`, inside the system if it can.

        Raises:
            FormatError: `source` ends before that.
        """
        done = 0
        while done < length:
            count = self._move_some(source, start + done, length - done, offset + done)
            if count == 0:
                raise FormatError("disk.ends_early", path=source.path, offset=start + done)
            done += count
        self._begin_writeback(offset, length)

    def sync(self) -> None:
        """Return when the bytes are on the medium.

        A failure is final: the system may have forgotten which bytes it could not write.
        """
        sync(self.fd)

    def forget(self) -> None:
        """Drop the file from the page cache, so that the next read comes from the medium."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def set_mode(self, mode: int) -> None:
        """Give the file these permissions."""
        if hasattr(os, "fchmod"):
            os.fchmod(self.fd, stat.S_IMODE(mode))

    def publish(self, destination: Path, *, replace: bool) -> None:
        """Give the file its final name in one step, durably.

        Raises:
            FileExistsError: `destination` exists and `replace` is false.
        """
        if sys.platform == "win32":
            self.close()  # an open file cannot be renamed there
            (os.replace if replace else os.rename)(self.path, destination)
        elif replace:
            self.path.replace(destination)
        else:
            _link(self.path, destination)
        sync_folder(destination.parent)

    def is_at(self, path: Path) -> bool:
        """Whether `path` leads to this very file."""
        try:
            return os.path.samestat(os.fstat(self.fd), path.lstat())
        except OSError:
            return False

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _begin_writeback(self, offset: int, length: int) -> None:
        """Let the medium begin with what is written, so that `sync` has little left to wait for.

        Linux answers this advice by starting to write the range; what is still being written stays
        in the page cache. A run that ends with `sync` takes half the time.
        """
        if not system.PLAIN and sys.platform == "linux" and length >= _WRITE_CHUNK:
            os.posix_fadvise(self.fd, offset, length, os.POSIX_FADV_DONTNEED)

    def _move_some(self, source: InputFile, start: int, length: int, offset: int) -> int:
        if system.CAN_MOVE:
            try:
                return os.copy_file_range(source.fd, self.fd, length, start, offset)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
        data = source.read(start, min(length, system.PLAIN_CHUNK))
        self.write(memoryview(data), offset)
        return len(data)


def remove_leftover(path: Path) -> None:
    """Remove what a killed process left at `path`; one that still runs holds its lock."""
    with suppress(OSError):
        if sys.platform == "win32":
            path.unlink()  # refused there while a process has it open
            return
        fd = os.open(path, system.OPEN_FLAGS)
        try:
            lock(fd)
            path.unlink()
        finally:
            os.close(fd)


def write_at(fd: int, data: memoryview, offset: int) -> int:
    """Write some of `data` at `offset`; return how many bytes."""
    if not system.PLAIN:
        return os.pwrite(fd, data, offset)
    with system.position:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, data)


def sync(fd: int) -> None:
    """Return when the bytes of an open file are on the medium."""
    if sys.platform == "darwin":
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def lock(fd: int) -> None:
    """Take the file's lock, which the system frees when the process ends, however it ends."""
    if sys.platform != "win32":
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def cannot(error: OSError) -> bool:
    """Whether an error says that the file system lacks a call, such as hard links."""
    return error.errno in _CANNOT


def claim(path: Path, destination: Path) -> None:
    """Rename without hard links: take the name with an empty file first, so nobody else does.

    Raises:
        FileExistsError: `destination` exists.
        OSError: it cannot be had.
    """
    os.close(os.open(destination, _CREATE_FLAGS))
    try:
        path.replace(destination)
    except BaseException:
        destination.unlink()
        raise


def _link(path: Path, destination: Path) -> None:
    """Rename `path` to `destination` unless that exists."""
    if system.PLAIN:
        claim(path, destination)
        return
    try:
        os.link(path, destination)
    except OSError as error:
        if not cannot(error):
            raise
        claim(path, destination)
    else:
        with suppress(OSError):
            path.unlink()
