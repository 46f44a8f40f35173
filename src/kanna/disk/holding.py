"""One process at a time: locks that the system frees when their holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kanna.disk.writing import lock

_LOCKED_BYTE: Final = 1 << 40  # beyond the end of whatever is written to the file


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock file at `path`, which is made where there is none; False if another holds it.

    Raises:
        OSError: the file cannot be made.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        yield hold(fd)
    finally:
        os.close(fd)


def hold(fd: int) -> bool:
    """Take a file for this process until it is closed; return whether nobody else has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            os.lseek(fd, 0, os.SEEK_END)
        else:
            lock(fd)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return sys.platform != "win32"
    return True
