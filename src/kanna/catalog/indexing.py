"""The words by which a model is found: its name and title, what it is, what people wrote of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from kanna.catalog.store import path_of
from kanna.catalog.wording import words_of
from kanna.families import title

_LONGEST: Final = 20_000  # letters of one model
_QUERY: Final = (
    "SELECT path, name, kind, architecture, variant, dtype, quantization, title, said, note,"
    " (SELECT group_concat(word, ' ') FROM tag WHERE file = file.id) AS tags,"
    " (SELECT group_concat(name, ' ') FROM alias WHERE file = file.id) AS aliases"
    " FROM file WHERE id = ?"
)


def index_words(connection: sqlite3.Connection, file: int) -> None:
    """Make the words of a model anew, after anything of its row, its tags or names changed."""
    row = connection.execute(_QUERY, (file,)).fetchone()
    connection.execute("DELETE FROM file_words WHERE rowid = ?", (file,))
    if row is None:
        return
    architecture = row["architecture"]
    texts = (
        Path(row["name"]).stem, row["title"], path_of(row["path"]).parent.name, row["kind"],
        architecture, architecture and title(architecture), row["variant"], row["dtype"],
        row["quantization"], row["tags"], row["note"], row["aliases"], row["said"],
    )  # fmt: skip
    words = words_of("\n".join(str(text) for text in texts if text)[:_LONGEST])
    connection.execute("INSERT INTO file_words (rowid, words) VALUES (?, ?)", (file, words))
