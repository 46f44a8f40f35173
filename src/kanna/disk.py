"""The one seam to the operating system: positional reads and writes, reserving, publishing.

Where the system lacks a call (Windows has no ``pread``, macOS no ``copy_file_range``), or where
``KANNA_DISK=plain`` asks for it, plain seek/readinto/write takes its place behind the same names.
Reading reports its own errors; writing raises `OSError`, because only the engine knows for whom.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.errors import FormatError, Incomplete, UsageError

if sys.platform != "win32":
    import fcntl

PLAIN: Final = os.environ.get("KANNA_DISK") == "plain" or not hasattr(os, "preadv")
_OPEN_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)  # fmt: skip
CAN_MOVE: Final = not PLAIN and hasattr(os, "copy_file_range")
_CREATE_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip
# What a file system answers that cannot copy between these two files, or has no hard links.
_CANNOT: Final = frozenset(
    getattr(errno, name, -1)
    for name in ("EXDEV", "EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EPERM", "EMLINK", "ETXTBSY")
)
_PLAIN_CHUNK: Final = 1 << 20
# Larger writes ask the page cache for larger pages, which can take five times as long to find.
_WRITE_CHUNK: Final = 1 << 18
_position = threading.Lock()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells whether a file is still the one that was opened."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Fingerprint:
        """Return the fingerprint in a ``stat`` result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def same_file(self, other: Fingerprint) -> bool:
        """Whether both are one file by device and inode, through any link or spelling of a path."""
        return (self.device, self.inode) == (other.device, other.inode)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        UsageError: something else is in the way, or it is not allowed.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("disk.no_folder", path=path, reason=error.strerror or error) from error


class InputFile:
    """A regular file opened for reading only; the descriptor stays the same for the whole job."""

    __slots__ = ("fd", "fingerprint", "path", "size")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open `path`.

        Raises:
            Incomplete: there is no such file, or it cannot be read.
            FormatError: it is a folder, a device, a pipe or another thing that is not a file.
        """
        self.path = Path(path)
        try:
            self.fd = os.open(self.path, _OPEN_FLAGS)
        except FileNotFoundError as error:
            raise Incomplete("disk.missing", path=self.path) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Incomplete("disk.unreadable", path=self.path, reason=reason) from error
        status = os.fstat(self.fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(self.fd)
            raise FormatError("disk.not_a_file", path=self.path)
        self.fingerprint = Fingerprint.of(status)
        self.size = status.st_size
        self._advise("POSIX_FADV_RANDOM")

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`.

        Raises:
            FormatError: the file ends before that.
        """
        data = bytearray(length)
        self.read_into(offset, memoryview(data))
        return bytes(data)

    def read_into(self, offset: int, out: memoryview) -> None:
        """Fill `out` from `offset`.

        Raises:
                FormatError: the file ends before `out` is full.
            Incomplete: the device cannot read it.
        """
        done = 0
        while done < len(out):
            try:
                count = _read_at(self.fd, out[done:], offset + done)
            except OSError as error:
                raise Incomplete(
                    "disk.unreadable", path=self.path, reason=error.strerror
                ) from error
            if count == 0:
                raise FormatError("disk.ends_early", path=self.path, offset=offset + done)
            done += count

    def will_stream(self) -> None:
        """Tell the system that large reads follow (opening told it that small ones do)."""
        self._advise("POSIX_FADV_SEQUENTIAL")

    def unchanged(self) -> bool:
        """Whether the open file still has the size and time it had when it was opened."""
        return Fingerprint.of(os.fstat(self.fd)) == self.fingerprint

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _advise(self, advice: str) -> None:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.fd, 0, 0, getattr(os, advice))


def _read_at(fd: int, out: memoryview, offset: int) -> int:
    if not PLAIN:
        return os.preadv(fd, [out], offset)
    with _position:
        os.lseek(fd, offset, os.SEEK_SET)
        data = os.read(fd, min(len(out), _PLAIN_CHUNK))
    out[: len(data)] = data
    return len(data)


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
            _lock(self.fd)
            ours = self.is_at(path)
        except OSError as error:  # a file system without locks: nobody removes leftovers there
            ours = not isinstance(error, BlockingIOError)
        if not ours:
            self.close()
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))

    def reserve(self, size: int) -> None:
        """Make the file `size` bytes long, with the space for them set aside where possible."""
        if size and not PLAIN and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self.fd, 0, size)
        else:
            os.truncate(self.fd, size)

    def write(self, data: memoryview, offset: int) -> None:
        """Write all of `data` at `offset`."""
        done = 0
        while done < len(data):
            room = _WRITE_CHUNK - (offset + done) % _WRITE_CHUNK
            done += _write_at(self.fd, data[done : done + room], offset + done)
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
        if sys.platform == "darwin":
            fcntl.fcntl(self.fd, fcntl.F_FULLFSYNC)
        else:
            os.fsync(self.fd)

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
        _sync_folder(destination.parent)

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
        if not PLAIN and sys.platform == "linux" and length >= _WRITE_CHUNK:
            os.posix_fadvise(self.fd, offset, length, os.POSIX_FADV_DONTNEED)

    def _move_some(self, source: InputFile, start: int, length: int, offset: int) -> int:
        if CAN_MOVE:
            try:
                return os.copy_file_range(source.fd, self.fd, length, start, offset)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
        data = source.read(start, min(length, _PLAIN_CHUNK))
        self.write(memoryview(data), offset)
        return len(data)


def remove_leftover(path: Path) -> None:
    """Remove what a killed process left at `path`; one that still runs holds its lock."""
    with suppress(OSError):
        if sys.platform == "win32":
            path.unlink()  # refused there while a process has it open
            return
        fd = os.open(path, _OPEN_FLAGS)
        try:
            _lock(fd)
            path.unlink()
        finally:
            os.close(fd)


def free_bytes(folder: Path) -> int:
    """Return how many bytes this user may still write in `folder`."""
    if sys.platform == "win32":
        import shutil  # slow to import, and needed nowhere else

        return shutil.disk_usage(folder).free
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _write_at(fd: int, data: memoryview, offset: int) -> int:
    if not PLAIN:
        return os.pwrite(fd, data, offset)
    with _position:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, data)


def _lock(fd: int) -> None:
    """Take the file's lock, which the system frees when the process ends, however it ends."""
    if sys.platform != "win32":
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _link(path: Path, destination: Path) -> None:
    """Rename `path` to `destination` unless that exists."""
    if PLAIN:
        _claim(path, destination)
        return
    try:
        os.link(path, destination)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        _claim(path, destination)
    else:
        with suppress(OSError):
            path.unlink()


def _claim(path: Path, destination: Path) -> None:
    """Rename without hard links: take the name with an empty file first, so nobody else does."""
    os.close(os.open(destination, _CREATE_FLAGS))
    try:
        path.replace(destination)
    except BaseException:
        destination.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    # The file is complete by now; where folders cannot be synced its name is as safe as it gets.
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
