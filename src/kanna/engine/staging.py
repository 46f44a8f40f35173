"""A file in the making, beside its destination: it becomes the destination whole, or vanishes."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from kanna.disk import Fingerprint, InputFile, free_bytes
from kanna.disk.writing import OutputFile, remove_leftover
from kanna.errors import KannaError, OutputExists, UsageError

_SUFFIX: Final = ".part"
_LEFTOVER: Final = re.compile(r"(\..*\.kanna-)[0-9a-f]{12}" + re.escape(_SUFFIX), re.DOTALL)
_LONGEST_STEM: Final = 200  # bytes: file systems allow 255, marks of our own included
_TRIES: Final = 100


class Staging:
    """Makes a temporary file of a known size; on leaving, whatever was not published is removed.

    `published` says afterwards whether the destination is the file that was made here.
    """

    def __init__(self, destination: Path, size: int, *, force: bool, tidied: bool = False) -> None:
        """Prepare to make `destination`, of `size` bytes; `force` replaces what is there.

        `tidied`: `remove_leftovers` has been there already.
        """
        self.published = False
        self._tidied = tidied
        self._destination = destination
        self._size = size
        self._force = force

    def publish(self) -> None:
        """Give the file its name.

        Raises:
            OutputExists: somebody else made the destination in the meantime.
        """
        try:
            self._file.publish(self._destination, replace=self._force)
        except FileExistsError as error:
            raise OutputExists("engine.exists", path=self._destination) from error

    def is_at_destination(self) -> bool:
        """Whether the destination is the file that was made here, at this moment."""
        return self._file.is_at(self._destination)

    def __enter__(self) -> OutputFile:
        """Create the file with its space set aside, after removing leftovers of killed runs.

        Raises:
            OSError: it cannot be created or does not fit.
        """
        if not self._tidied:
            remove_leftovers(self._destination)
        self._file = _create(self._destination)
        try:
            self._file.reserve(self._size)
            if self._force and self._destination.exists():
                self._file.set_mode(self._destination.stat().st_mode)
        except BaseException:
            self._discard()
            raise
        return self._file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not published."""
        self._discard()

    def _discard(self) -> None:
        self.published = self._file.is_at(self._destination)
        # First the name, while the lock keeps others away; Windows wants it the other way round.
        with suppress(OSError):
            self._file.path.unlink(missing_ok=True)
        self._file.close()
        with suppress(OSError):
            self._file.path.unlink(missing_ok=True)


def existing_folder(folder: Path) -> Path:
    """Return the nearest of `folder` and those above it that is there."""
    return next((above for above in (folder, *folder.parents) if os.path.lexists(above)), folder)


def check_destination(
    destination: Path, folder: Path, size: int, inputs: Sequence[InputFile], *, force: bool
) -> None:
    """Refuse a destination that must not or cannot be written, before anything is.

    `folder` is where it will be made, or the nearest one that exists above.

    Raises:
        UsageError: it is an input, a link or no file, or `folder` is none.
        OutputExists: it exists, and `force` was not given.
        KannaError: there is no room for `size` bytes.
        OSError: it is not allowed, or the system cannot tell.
    """
    if not folder.is_dir():
        raise UsageError("engine.no_folder", path=destination, folder=folder)
    with suppress(FileNotFoundError):
        _check_existing(destination, inputs, force=force)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    free = free_bytes(folder)
    if free < size:
        raise KannaError("engine.no_room", path=destination, size=size, free=free)


def _check_existing(destination: Path, inputs: Sequence[InputFile], *, force: bool) -> None:
    status = destination.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise UsageError("engine.is_link", path=destination)
    if not stat.S_ISREG(status.st_mode):
        raise UsageError("engine.not_a_file", path=destination)
    if any(file.fingerprint.same_file(Fingerprint.of(status)) for file in inputs):
        raise UsageError("engine.is_input", path=destination)
    if not force:
        raise OutputExists("engine.exists", path=destination)


def _prefix(destination: Path) -> str:
    stem = os.fsencode(destination.name)[:_LONGEST_STEM].decode(errors="ignore")
    return f".{stem}.kanna-"


def _create(destination: Path) -> OutputFile:
    for _ in range(_TRIES):
        name = f"{_prefix(destination)}{os.urandom(6).hex()}{_SUFFIX}"
        with suppress(FileExistsError):
            return OutputFile(destination.with_name(name))
    raise UsageError("engine.no_folder", path=destination, folder=destination.parent)


def remove_leftovers(*destinations: Path) -> None:
    """Remove what killed runs left for `destinations`, looking through each of their folders once.

    Other names may be other people's.
    """
    ours: dict[Path, set[str]] = defaultdict(set)
    for destination in destinations:
        ours[destination.parent].add(_prefix(destination))
    for folder, prefixes in ours.items():
        with suppress(OSError):  # a folder may be writable and not readable
            for path in folder.iterdir():
                found = _LEFTOVER.fullmatch(path.name)
                if found is not None and found[1] in prefixes:
                    remove_leftover(path)
