"""What a row of the table ``file`` says of the file's state, and whether it is still so."""

from __future__ import annotations

import sqlite3
from typing import Final

from kanna.catalog.store import path_of
from kanna.disk import Fingerprint
from kanna.hashing.cache import key_of

# What has digests, as SQL: a folder or an index of shards has none of its own.
HASHABLE: Final = (
    "(container IS NULL OR container NOT IN ('diffusers', 'sharded-safetensors'))"
    " AND path NOT LIKE '%.json'"
)


def is_unchanged(row: sqlite3.Row) -> bool:
    """Whether the file is there, and just as it was when its row was made."""
    try:
        state = Fingerprint.of(path_of(row["path"]).stat())
    except (OSError, ValueError):
        return False
    return key_of(state) == str(row["fingerprint"])


def place_on_disk(row: sqlite3.Row) -> str:
    """Return what two names of one file share; a path where the system gives files no numbers."""
    device, inode, *_ = [*str(row["fingerprint"]).split(":"), "", ""]
    return f"{device}:{inode}" if inode not in {"", "0"} else str(row["path"])


def content(row: sqlite3.Row) -> str | int:
    """Return what rows with the same tensors share, as far as digests are known."""
    found: str | int = row["data_sha256"] or row["sha256"] or row["id"]
    return found
