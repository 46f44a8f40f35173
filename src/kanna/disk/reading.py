"""Files that are read: opened once, read at any place, by any thread."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.disk import system
from kanna.errors import FormatError, Incomplete

_LONGEST_NAME: Final = 200  # bytes: file systems allow 255, marks of our own included


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


class InputFile:
    """A regular file opened for reading only; the descriptor stays the same for the whole job."""

    __slots__ = ("fd", "fingerprint", "path", "size")

    local = True  # whether the system can copy from its descriptor

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open `path`.

        Raises:
            Incomplete: there is no such file, or it cannot be read.
            FormatError: it is a folder, a device, a pipe or another thing that is not a file.
        """
        self.path = Path(path)
        if _has_undo(path):
            from kanna.disk.undo import settle  # a killed run left it: this hardly ever happens

            settle(os.path.realpath(path))
        try:
            self.fd = os.open(self.path, system.OPEN_FLAGS)
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


def undo_path(path: str | os.PathLike[str]) -> str:
    """Return where an edit of the file at `path` keeps what would undo it."""
    folder, name = os.path.split(os.fspath(path))
    if len(name) > _LONGEST_NAME // 4:
        raw = os.fsencode(name)
        if len(raw) > _LONGEST_NAME:
            import zlib  # hardly any name is that long

            name = f"{raw[:_LONGEST_NAME].decode(errors='ignore')}-{zlib.crc32(raw):08x}"
    return os.path.join(folder, f".{name}.kanna-undo")  # noqa: PTH118 - for every file that is opened


def _has_undo(path: str | os.PathLike[str]) -> bool:
    try:
        if os.path.islink(path):  # noqa: PTH114 - likewise
            path = os.path.realpath(path)
        return os.path.lexists(undo_path(path))
    except (OSError, ValueError):  # a name that no file can have
        return False


def _read_at(fd: int, out: memoryview, offset: int) -> int:
    if not system.PLAIN:
        return os.preadv(fd, [out], offset)
    with system.position:
        os.lseek(fd, offset, os.SEEK_SET)
        data = os.read(fd, min(len(out), system.PLAIN_CHUNK))
    out[: len(data)] = data
    return len(data)
