"""Which fields loaders need, and which tell more than their owner may want to hand out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from kanna.metadata.grouping import matches
from kanna.metadata.modelspec import PREFIX
from kanna.metadata.tables import table


def is_needed(key: str) -> bool:
    """Whether a program that loads the model reads the field."""
    return any(matches(key, row["fields"]) for row in table("fields")["needed"])


def leaks(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that tell private things, each with the word for what it tells.

    ``prompts``, ``dataset``, ``session``, ``trainer``, or ``path`` where a value names a place on a
    disk. Fields that loaders need are not among them.
    """
    found = {}
    for key, value in metadata.items():
        kind = _kind(key) or ("path" if holds_path(value) else None)
        if kind is not None and not is_needed(key):
            found[key] = kind
    return found


def holds_path(value: str) -> bool:
    """Whether a text names a place on somebody's disk, also inside JSON."""
    return _paths().search(value) is not None


def is_public(key: str) -> bool:
    """Whether a field is there to be handed out, so that only its owner can judge it."""
    return key.startswith(PREFIX)


def _kind(key: str) -> str | None:
    rows = table("fields")["private"]
    return next((row["kind"] for row in rows if matches(key, row["fields"])), None)


@cache
def _paths() -> re.Pattern[str]:
    return re.compile("|".join(table("fields")["paths"]["signs"]))
