"""Folders: making them, making their entries durable, and how much room they have."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from kanna.errors import UsageError


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        UsageError: something else is in the way, or it is not allowed.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("disk.no_folder", path=path, reason=error.strerror or error) from error


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return the whole path of `path`, with links as they are and without ``..``."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute leaves ".." in it


def free_bytes(folder: Path) -> int:
    """Return how many bytes this user may still write in `folder`."""
    if sys.platform == "win32":
        import shutil  # slow to import, and needed nowhere else

        return shutil.disk_usage(folder).free
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, where the system can."""
    # The file is complete by now; where folders cannot be synced its name is as safe as it gets.
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
