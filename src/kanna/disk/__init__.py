"""The one seam to the operating system.

::

    reading   files opened to be read, at any place, by any thread
    writing   files in the making: written at any place, synced, published in one step
    folders   making them, and how much room there is
    addresses paths that are URLs
    remote    files behind URLs, with the library `obstore`; `hub`: where hf:// leads
    system    which of the system's calls there are

Where the system lacks a call (Windows has no ``pread``, macOS no ``copy_file_range``), or where
``KANNA_DISK=plain`` asks for it, plain seek/read/write takes its place behind the same names.
Reading reports its own errors; writing raises `OSError`, because only the engine knows for whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanna.disk.addresses import as_path, is_remote
from kanna.disk.folders import absolute, free_bytes, make_folder
from kanna.disk.reading import Fingerprint, InputFile

if TYPE_CHECKING:
    import os

__all__ = [
    "Fingerprint",
    "InputFile",
    "absolute",
    "as_path",
    "free_bytes",
    "is_remote",
    "make_folder",
    "open_input",
]


def open_input(path: str | os.PathLike[str]) -> InputFile:
    """Open a file on this machine or behind a URL.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: it is a folder, a device, a pipe or another thing that is not a file.
        RemoteError: the server cannot be reached, or refuses.
        MissingExtra: the library that speaks to servers is not installed.
    """
    if not is_remote(path):
        return InputFile(path)
    from kanna.disk.addresses import RemotePath
    from kanna.disk.remote import RemoteFile

    return RemoteFile(RemotePath(path))
