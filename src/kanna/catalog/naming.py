"""Which file of the library a person means: by path, number, digest or name."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kanna.catalog.store import Library, path_of, path_value
from kanna.disk import absolute
from kanna.errors import Incomplete, UsageError

_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{8,64})")
_NUMBER: Final = re.compile(r"#(\d{1,18})|(\d{1,7})")
_DIGESTS: Final = ("sha256", "autov1", "data_sha256", "blake3", "sshs_model_hash")
_SHOWN: Final = 5


def find_file(library: Library, text: str) -> sqlite3.Row:
    """Return the row of the model that `text` names: see `find_files`.

    Raises:
        Incomplete: the library has no such file.
        UsageError: it has several of them.
    """
    rows = find_files(library, text)
    if len(rows) > 1:
        first = ", ".join(f"#{row['id']} {path_of(row['path'])}" for row in rows[:_SHOWN])
        raise UsageError("library.several_files", text=text, count=len(rows), files=first)
    return rows[0]


def find_files(library: Library, text: str) -> list[sqlite3.Row]:
    """Return the rows of the models that `text` may name, those that are there if there are any.

    The first of these that fits counts: a path; the number of a row, ``#12`` or ``12``; the
    beginning of a digest, 8 digits or more; a file's name, with or without its suffix.

    Raises:
        Incomplete: the library has no such file.
    """
    for condition, values in _meanings(text):
        rows = library.rows(f"SELECT * FROM file WHERE {condition} ORDER BY path", values)  # noqa: S608 - conditions from below only
        if rows:
            return [row for row in rows if row["present"]] or rows
    raise Incomplete("library.no_such_file", text=text, library=library.path)


def _meanings(text: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    yield "path = ?", (path_value(absolute(text)),)
    yield from _resolved(text)
    if number := _NUMBER.fullmatch(text):
        yield "id = ?", (int(number[1] or number[2]),)
    if digest := _HEX.fullmatch(text):
        beginning = digest[1].lower()
        ranges = " OR ".join(f"({name} >= ? AND {name} < ?)" for name in _DIGESTS)
        yield ranges, (beginning, beginning + "g") * len(_DIGESTS)
    yield "name = ?", (text,)
    yield "name = ? COLLATE NOCASE", (text,)
    dotted = text + "."
    yield "substr(name, 1, ?) = ? AND instr(substr(name, ?), '.') = 0", (
        len(dotted), dotted, len(dotted) + 1,
    )  # fmt: skip


def _resolved(text: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield the path behind links, where there is another one."""
    try:
        real = Path(text).resolve()
    except (OSError, RuntimeError, ValueError):
        return
    yield "path = ?", (path_value(real),)
