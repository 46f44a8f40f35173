"""What an inbox is at right now, kept in a file of it, so that a restart goes on from there.

``.kanna-inbox.json`` names the file that is being worked on, with its fingerprint, and the output
that was not there before. If the output is there when kanna comes back, and the original still lies
in the inbox unchanged, the work was done but for putting the original away.
"""

from __future__ import annotations

import json
import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from kanna.disk import Fingerprint, InputFile
from kanna.engine import publish
from kanna.errors import KannaError
from kanna.formats import strict_json

_NAME: Final = ".kanna-inbox.json"
_LIMIT: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """A file in the inbox, in the state that it had, and the output that is made of it."""

    path: Path
    fingerprint: Fingerprint
    output: Path

    def is_done(self) -> bool:
        """Whether the output is there, and the file that it was made of, as it was."""
        try:
            now = Fingerprint.of(self.path.stat())
        except OSError:
            return False
        return now == self.fingerprint and self.output.is_file()


def begin(inbox: Path, working: Working) -> None:
    """Remember what is begun.

    Raises:
        KannaError: the inbox cannot be written to.
    """
    mark = working.fingerprint
    document = {
        "path": _quoted(working.path), "output": _quoted(working.output),
        "fingerprint": [mark.device, mark.inode, mark.size, mark.mtime_ns],
    }  # fmt: skip
    publish(inbox / _NAME, json.dumps(document).encode(), force=True)


def finish(inbox: Path) -> None:
    """Forget it: nothing is left to be done."""
    with suppress(OSError):
        (inbox / _NAME).unlink(missing_ok=True)


def begun(inbox: Path) -> Working | None:
    """Return what was begun and not finished; a file that makes no sense says nothing."""
    path = inbox / _NAME
    if not path.is_file():
        return None
    with suppress(KannaError, KeyError, TypeError, ValueError):
        with closing(InputFile(path)) as file:
            document = strict_json.load(file, limit=_LIMIT)
        numbers = document["fingerprint"]
        if isinstance(numbers, list) and all(type(number) is int for number in numbers):
            return Working(
                path=_unquoted(document["path"]), output=_unquoted(document["output"]),
                fingerprint=Fingerprint(*numbers),
            )  # fmt: skip
    return None


def _quoted(path: Path) -> str:
    """Return a path as plain text, whatever bytes its name has."""
    return quote_from_bytes(os.fsencode(path), safe="/\\: ")


def _unquoted(text: object) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(str(text))))
