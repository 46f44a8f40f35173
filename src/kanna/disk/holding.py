"""One process at a time: a lock that the system frees when its holder ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kanna.disk.moving import hold


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
