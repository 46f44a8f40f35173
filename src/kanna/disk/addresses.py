"""Paths that are URLs: ``hf://``, ``https://``, ``http://`` and ``s3://``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_SCHEMES: Final = ("hf:", "https:", "http:", "s3:")


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a URL, even one that went through `pathlib` and lost a slash."""
    return _address(os.fspath(path)) is not None


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a `Path`; a URL becomes one that still reads as a URL."""
    text = os.fspath(path)
    return Path(text) if _address(text) is None else RemotePath(text)


def _address(text: str) -> str | None:
    """Return the URL that a text spells, or None where it is a path on this machine."""
    scheme, colon, rest = text.partition(":")
    if scheme.lower() + colon not in _SCHEMES or rest[:1] not in ("/", "\\"):
        return None
    return f"{scheme.lower()}://" + rest.replace("\\", "/").lstrip("/")


class RemotePath(type(Path())):  # type: ignore[misc]  # the system's own kind of Path
    """A URL with the manners of a path: `name`, `suffix`, `parent` and ``/`` work.

    What stands behind a ``?``, often a key to a private file, is no part of it but of `address`;
    so are a user and a password before the server's name.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return the URL, as it is shown to people."""
        scheme, slashes, rest = self.address.partition("?")[0].partition("://")
        server, slash, place = rest.partition("/")
        return f"{scheme}{slashes}{server.rpartition('@')[2]}{slash}{place}"

    def __fspath__(self) -> str:
        """Return the URL, with all that is needed to read it."""
        return self.address

    @property
    def address(self) -> str:
        """The URL, with all that is needed to read it."""
        text = super().__str__()
        return _address(text) or text

    @property
    def name(self) -> str:
        """The last part of the URL, without what stands behind a ``?``."""
        return str(super().name).partition("?")[0]

    @property
    def suffix(self) -> str:
        """The suffix of `name`."""
        return Path(self.name).suffix

    @property
    def stem(self) -> str:
        """`name` without its suffix."""
        return Path(self.name).stem
