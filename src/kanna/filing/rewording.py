"""Names inside companions that must follow when a model is renamed: of digests, and of shards."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Final

Pairs = tuple[tuple[str, str], ...]

LIMITS: Final = {"digest": 1 << 20, "index": 32_000_000}  # bytes; a larger one is left as it is


def reworded(data: bytes, role: str, pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return the content of a companion with each old name replaced by the new one."""
    pattern = _in_index if role == "index" else _in_digests
    for old, new in pairs:
        data = pattern(data, old, new)
    return data


def _in_index(data: bytes, old: str, new: str) -> bytes:
    """Replace a shard's name where it is a string of its own."""
    return data.replace(json.dumps(old).encode(), json.dumps(new).encode())


def _in_digests(data: bytes, old: str, new: str) -> bytes:
    """Replace a name where it ends a line of ``sha256sum`` or stands in brackets, as BSD has it."""
    name = re.compile(rb"(?m)(?<=[ *\t/\\(])" + re.escape(os.fsencode(old)) + rb"(?=\)|[ \t\r]*$)")
    return name.sub(lambda _: os.fsencode(new), data)
