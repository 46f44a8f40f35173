r"""``.sha256`` files beside models, as ``sha256sum`` writes and checks them.

A line is the digest, two spaces (or a space and ``*``), the name. A name with a backslash or a line
break has those written as ``\\``, ``\n``, ``\r``, and the line begins with a backslash then. Read
are also BSD's lines (``SHA256 (name) = digest``), one blank or a tab before the name, UTF-16, and
files that hold nothing but a digest.
Source: GNU coreutils manual, cksum and sha256sum.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.disk import InputFile
from kanna.engine import publish
from kanna.errors import FormatError, OutputExists

_MOST: Final = 1 << 20  # bytes of a file that lists digests
_LINE: Final = re.compile(rb"(?s)(\\?)([0-9a-fA-F]{64})(?: [ *](.+)|[ \t](\S.*)|[ \t]*)\Z")
_BSD: Final = re.compile(rb"(?s)(\\?)SHA256 \((.+)\) = ([0-9a-fA-F]{64})\Z")
_ESCAPES: Final = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """What the file beside a model says: its SHA-256, or None where no line is about it."""

    path: Path
    sha256: str | None


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of `path` is: the whole name with ``.sha256`` behind it."""
    return path.with_name(path.name + ".sha256")


def sidecar_line(name: str, sha256: str) -> bytes:
    """Return the line that ``sha256sum`` would write about a file of this name."""
    raw = os.fsencode(name)
    escaped = re.sub(rb"[\\\n\r]", lambda match: _ESCAPES[match[0]], raw)
    return b"\\" * (escaped != raw) + sha256.encode() + b"  " + escaped + b"\n"


def read_sidecar(path: Path) -> Sidecar | None:
    """Return what the sidecar of `path` says, or None where there is none.

    Raises:
        FormatError: it is no list of SHA-256 digests.
        Incomplete: it cannot be read.
    """
    place = sidecar_path(path)
    if not os.path.exists(place):  # noqa: PTH110 - Path.exists raises where a name is too long
        return None
    with closing(InputFile(place)) as file:
        data = file.read(0, min(file.size, _MOST))
    entries = list(_entries(data))
    if not entries:
        raise FormatError("hash.bad_sidecar", path=place)
    own = os.fsencode(path.name)
    said = [digest for name, digest in entries if name is not None and _base(name) == own]
    if not said and len(entries) == 1:
        said = [entries[0][1]]  # the bare form, or the model was renamed together with its sidecar
    return Sidecar(path=place, sha256=said[0] if said else None)


def write_sidecar(path: Path, sha256: str, *, force: bool = False) -> Path:
    """Write the sidecar of `path`; one that says the same already is left as it is.

    Raises:
        OutputExists: there is one that says something else, and it is not to be replaced.
        KannaError: it cannot be written.
    """
    place = sidecar_path(path)
    if not force and os.path.exists(place):  # noqa: PTH110 - likewise
        try:
            there = read_sidecar(path)
        except FormatError:
            there = None
        if there is not None and there.sha256 == sha256:
            return place
        raise OutputExists("hash.sidecar_exists", path=place)
    publish(place, sidecar_line(path.name, sha256), force=force)
    return place


def _entries(data: bytes) -> Iterator[tuple[bytes | None, str]]:
    """Yield name, or None, and digest of each line that is one."""
    if data.startswith(codecs.BOM_UTF16_LE):  # as the shell of Windows redirects
        data = data[2:].decode("utf-16-le", "replace").encode()
    for line in data.removeprefix(codecs.BOM_UTF8).splitlines():
        if match := _LINE.match(line):
            given = match[3] or match[4]
            name = _plain(given, match[1]) if given else None
            yield name, match[2].decode().lower()
        elif match := _BSD.match(line):
            yield _plain(match[2], match[1]), match[3].decode().lower()


def _plain(name: bytes, mark: bytes) -> bytes:
    if not mark:
        return name
    letters = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
    return re.sub(rb"\\[\\nr]", lambda match: letters[match[0]], name)


def _base(name: bytes) -> bytes:
    return re.split(rb"[/\\]" if os.name == "nt" else rb"/", name)[-1]
