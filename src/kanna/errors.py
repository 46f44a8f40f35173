"""The whole error tree. Each class carries the exit code that the command line ends with.

::

    KannaError                 1
    ├── UsageError             2   an option or a combination of options makes no sense
    ├── Incomplete             3   a part, a tensor or a shard that the job needs is missing
    ├── FormatError           10   the bytes break the container's rules
    ├── UnsafeFile            11   the file asks for code, and nothing can be read without it
    ├── UnknownModel          12   no family matches and the job needs one
    ├── Incompatible          13   shapes, layouts or families cannot be combined
    ├── NumericError          14   values would not fit in their dtype
    ├── OutputExists          15   the destination is there already
    ├── MissingExtra          16   an optional dependency is needed
    ├── RemoteError           17   the network, a hub or an object store failed
    └── Interrupted          130   stopped by the user; nothing was left behind

An error is a message key (see `kanna.messages`) and the values that fill it, so that the same error
reads in English and in Japanese, and scripts see a stable `key`.
"""

from __future__ import annotations

import os
from typing import ClassVar

from kanna.messages import say, say_hint


class KannaError(Exception):
    """A problem with a file or a request, told in one sentence, with a second on what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, key: str, /, *, path: str | os.PathLike[str] | None = None, **values: object
    ) -> None:
        """Remember the message `key`, the file it is about and the values that fill the message."""
        super().__init__(key)
        self.key = key
        self.path = None if path is None else str(path)  # of a URL what may be shown
        self.values = {"path": self.path, **values}

    @property
    def message(self) -> str:
        """What is wrong with which file, in the language in force."""
        return say(self.key, **self.values)

    @property
    def hint(self) -> str:
        """What the reader can do about it, in the language in force."""
        return say_hint(self.key, **self.values)

    def __str__(self) -> str:
        """Return both sentences."""
        return f"{self.message} {self.hint}".strip()


class UsageError(KannaError):
    """An option or a combination of options makes no sense."""

    exit_code = 2


class Incomplete(KannaError):
    """A part, a tensor or a shard that the job needs is missing."""

    exit_code = 3


class FormatError(KannaError):
    """The bytes break the container's rules."""

    exit_code = 10


class UnsafeFile(KannaError):
    """The file asks for code to be run, and nothing can be read without running it."""

    exit_code = 11


class UnknownModel(KannaError):
    """No family matches and the job needs one."""

    exit_code = 12


class Incompatible(KannaError):
    """Shapes, layouts or families cannot be combined."""

    exit_code = 13


class NumericError(KannaError):
    """Finite numbers would become Inf or NaN, or be clipped."""

    exit_code = 14


class OutputExists(KannaError):
    """The destination is there already."""

    exit_code = 15


class MissingExtra(KannaError):
    """An optional dependency is needed."""

    exit_code = 16


class RemoteError(KannaError):
    """The network, a hub or an object store failed."""

    exit_code = 17


class Interrupted(KannaError):
    """Stopped by the user; nothing was left behind."""

    exit_code = 130
