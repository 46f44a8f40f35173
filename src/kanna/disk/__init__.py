"""The one seam to the operating system.

::

    reading   files opened to be read, at any place, by any thread
    writing   files in the making: written at any place, synced, published in one step
    folders   making them, and how much room there is
    system    which of the system's calls there are

Where the system lacks a call (Windows has no ``pread``, macOS no ``copy_file_range``), or where
``KANNA_DISK=plain`` asks for it, plain seek/read/write takes its place behind the same names.
Reading reports its own errors; writing raises `OSError`, because only the engine knows for whom.
"""

from __future__ import annotations

from kanna.disk.folders import free_bytes, make_folder
from kanna.disk.reading import Fingerprint, InputFile

__all__ = ["Fingerprint", "InputFile", "free_bytes", "make_folder"]
