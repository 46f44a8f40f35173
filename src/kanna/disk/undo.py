r"""A run of bytes replaced inside a file, so that a kill at any moment leaves the old or the new.

Before the file is touched, ``.NAME.kanna-undo`` is written beside it and synced. It holds::

    b"kanna-undo 1\n" · inode and size of the file · offset · length · old · new · SHA-256

(numbers are 8 bytes, little-endian; the digest is of all before it). Then the bytes are written and
synced, and the undo file is removed. While it is there, either its writer still runs, which holds
its lock, or was killed; whoever opens the file next sets things right (`settle`). What stands in
the file by then is the old bytes, the new ones, or where the write was torn some of each; only that
is ever written to. A file of another size, or with any other byte there, is a file of its own that
came to stand under the same name. An undo file that would write to a file of another inode comes
from somewhere else, such as an archive: it is refused.
"""

from __future__ import annotations

import errno
import os
import signal
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from kanna.disk import system
from kanna.disk.folders import sync_folder
from kanna.disk.reading import Fingerprint, undo_path
from kanna.disk.writing import lock, sync, write_at
from kanna.errors import FormatError, Incomplete

_MAGIC: Final = b"kanna-undo 1\n"
_NUMBERS: Final = struct.Struct("<QQQQ")
_INODES: Final = (1 << 64) - 1
_LARGEST: Final = 1 << 30
_PATIENCE: Final = 10.0  # seconds for which a writer is waited for
_POLL: Final = 0.02
_BINARY: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class _Undo:
    """What an undo file says."""

    inode: int
    size: int
    offset: int
    old: bytes
    new: bytes

    def to_bytes(self) -> bytes:
        numbers = _NUMBERS.pack(self.inode & _INODES, self.size, self.offset, len(self.old))
        body = _MAGIC + numbers + self.old + self.new
        return body + sha256(body).digest()

    @classmethod
    def of(cls, raw: bytes) -> _Undo | None:
        """Read the content of an undo file; one that was not finished says nothing."""
        body, digest = raw[:-32], raw[-32:]
        start = len(_MAGIC) + _NUMBERS.size
        if not body.startswith(_MAGIC) or len(body) < start or sha256(body).digest() != digest:
            return None
        inode, size, offset, length = _NUMBERS.unpack_from(body, len(_MAGIC))
        if len(body) != start + 2 * length:
            return None
        old, new = body[start : start + length], body[start + length :]
        return cls(inode, size, offset, old, new)


def replace_bytes(path: Path, state: Fingerprint, offset: int, old: bytes, new: bytes) -> None:
    """Replace the bytes `old` at `offset` by `new`, of the same length, durably.

    `state` is the file's as it was when `old` was read. If this raises, the old bytes are there.

    Raises:
        FormatError: the file is not in that state any more.
        Incomplete: somebody else is editing it right now.
        OSError: it cannot be written.
    """
    assert len(old) == len(new)
    with _opened(path, os.O_RDWR | _NO_LINK) as fd:
        try:
            _lock_or_fail(fd)
        except BlockingIOError:
            raise Incomplete("disk.being_edited", path=path) from None
        if Fingerprint.of(os.fstat(fd)) != state or _read(fd, offset, len(old)) != old:
            raise FormatError("engine.input_changed", path=path)
        undo = _Undo(state.inode, state.size, offset, old, new)
        with _kept_beside(path, undo):
            try:
                _write(fd, offset, new)
                _expect(fd, offset, new)
            except BaseException:
                _write(fd, offset, old)
                raise


def settle(path: str | os.PathLike[str]) -> None:
    """Set right what a killed writer left of the file at `path`; one that runs is waited for.

    Raises:
        Incomplete: the file is half written and must not be written to, its writer never ends, or
            what would undo it comes from elsewhere.
    """
    beside = undo_path(path)
    try:
        fd = os.open(beside, os.O_RDONLY | _NO_LINK | _BINARY)
        settled = False
        try:
            _wait_for_lock(fd, path)
            if os.path.samestat(os.fstat(fd), os.lstat(beside)):
                undo = _Undo.of(_read(fd, 0, min(os.fstat(fd).st_size, _LARGEST)))
                if undo is not None:
                    _restore(path, undo)
                settled = True
        finally:
            _close(beside, fd, remove=settled)
    except FileNotFoundError:  # its writer came to the end just now
        return
    except OSError as error:
        reason = error.strerror or error
        raise Incomplete("disk.half_written", path=path, reason=reason) from error


def is_open_elsewhere(path: str | os.PathLike[str]) -> bool:
    """Whether another program has the file open right now, where the system tells.

    Linux gives a lease of a file to its owner only while nobody else has it open (fcntl(2)).
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        with _opened(path, system.OPEN_FLAGS) as fd:  # never waits, whatever is there
            # who opens the file in this moment makes the system send a signal: one that is ignored
            fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


@contextmanager
def _kept_beside(path: Path, undo: _Undo) -> Iterator[None]:
    """Keep `undo` beside `path` until what happens here came to an end, good or bad.

    If not even the old bytes could be written back, it stays.
    """
    beside = undo_path(path)
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o666)
    over = True
    try:
        _lock_or_fail(fd)
        _write(fd, 0, undo.to_bytes())
        sync_folder(path.parent)
        over = False
        try:
            yield
        finally:
            over = _stands(path, undo)
    finally:
        _close(beside, fd, remove=over)


def _stands(path: Path, undo: _Undo) -> bool:
    """Whether the file has the old bytes or the new ones, whole."""
    try:
        with _opened(path, os.O_RDONLY) as fd:
            return _read(fd, undo.offset, len(undo.old)) in {undo.old, undo.new}
    except OSError:
        return False


def _close(beside: str, fd: int, *, remove: bool) -> None:
    """Close an undo file, and remove it while nobody else can have its lock."""
    if sys.platform == "win32":  # an open file cannot be removed there, by nobody
        os.close(fd)
    if remove:
        try:
            _unlink(beside)
        except KeyboardInterrupt:
            _unlink(beside)
            raise
    if sys.platform != "win32":
        os.close(fd)


def _unlink(beside: str) -> None:
    with suppress(OSError):
        Path(beside).unlink()
    sync_folder(Path(beside).parent)


def _restore(path: str | os.PathLike[str], undo: _Undo) -> None:
    """Write the old bytes back where a write was torn."""
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return
    if status.st_size != undo.size or undo.offset + len(undo.old) > undo.size:
        return
    with _opened(path, os.O_RDONLY) as fd:
        there = _read(fd, undo.offset, len(undo.old))
    torn = there not in {undo.old, undo.new}
    if torn and all(byte in pair for byte, *pair in zip(there, undo.old, undo.new, strict=True)):
        if status.st_ino & _INODES != undo.inode:
            raise Incomplete("disk.foreign_undo", path=path, undo=undo_path(path))
        with _opened(path, os.O_RDWR) as fd:
            _write(fd, undo.offset, undo.old)


def _wait_for_lock(fd: int, path: str | os.PathLike[str]) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            _lock_or_fail(fd)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Incomplete("disk.being_edited", path=path) from None
            time.sleep(_POLL)
        else:
            return


def _lock_or_fail(fd: int) -> None:
    """Take the lock.

    Raises:
        BlockingIOError: somebody else has it.
    """
    try:
        lock(fd)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks: nobody else there can have one either
        return


@contextmanager
def _opened(path: str | os.PathLike[str], flags: int) -> Iterator[int]:
    fd = os.open(path, flags | _BINARY, 0o666)
    try:
        yield fd
    finally:
        os.close(fd)


def _read(fd: int, offset: int, length: int) -> bytes:
    out = bytearray()
    with system.position:
        os.lseek(fd, offset, os.SEEK_SET)
        while len(out) < length and (piece := os.read(fd, length - len(out))):
            out += piece
    return bytes(out)


def _expect(fd: int, offset: int, data: bytes) -> None:
    if _read(fd, offset, len(data)) != data:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def _write(fd: int, offset: int, data: bytes) -> None:
    """Write all of `data`, and wait until it is on the medium."""
    done = 0
    while done < len(data):
        done += write_at(fd, memoryview(data)[done:], offset + done)
    sync(fd)
