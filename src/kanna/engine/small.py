"""Small files that go with a model, such as a config: written as safely as the model itself."""

from __future__ import annotations

import os
from pathlib import Path

from kanna.engine.job import write_error
from kanna.engine.staging import Staging, check_destination, existing_folder


def rehearse_publish(destination: str | os.PathLike[str], *, force: bool = False) -> None:
    """Check what `publish` checks before it writes; the folder may be missing yet.

    Raises:
        KannaError: what `publish` would raise; see there.
    """
    path = Path(destination)
    try:
        check_destination(path, existing_folder(path.parent), 0, (), force=force)
    except OSError as error:
        raise write_error(error, path) from error


def publish(
    destination: str | os.PathLike[str], data: bytes, *, force: bool = False, tidied: bool = False
) -> None:
    """Write `data` to `destination`: synced, then published in one step, or not at all.

    Whoever writes thousands of files into a folder removes the leftovers for all of them first
    (`remove_leftovers`) and says `tidied`, or the folder would be looked through for each.

    Raises:
        UsageError: the destination is a link or no file, or its folder is missing.
        OutputExists: it exists, and `force` was not given.
        KannaError: the disk is full or broken, or writing is not allowed there.
    """
    path = Path(destination)
    try:
        check_destination(path, path.parent, len(data), (), force=force)
        staging = Staging(path, len(data), force=force, tidied=tidied)
        with staging as file:
            file.write(memoryview(data), 0)
            file.sync()
            staging.publish()
    except OSError as error:
        raise write_error(error, path) from error
