"""Whose fields are whose, so that people see what belongs together."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from kanna.metadata.modelspec import PREFIX
from kanna.metadata.tables import table

MODELSPEC, OTHER = "modelspec", "other"


def grouped(metadata: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the fields of each group by its name, in the order in which groups are shown.

    Groups are ``modelspec``, those of `fields.toml`, and ``other``; one without fields is left out.
    """
    rows = table("fields")["group"]
    groups: dict[str, dict[str, str]] = {MODELSPEC: {}, **{row["name"]: {} for row in rows}}
    for key, value in metadata.items():
        groups.setdefault(group_of(key), {})[key] = value
    return {name: fields for name, fields in groups.items() if fields}


def group_of(key: str) -> str:
    """Return the group to which a field belongs."""
    if key.startswith(PREFIX):
        return MODELSPEC
    rows = table("fields")["group"]
    return next((row["name"] for row in rows if matches(key, row["fields"])), OTHER)


def matches(key: str, patterns: list[str]) -> bool:
    """Whether one of the shell patterns fits a key, letter by letter."""
    return any(fnmatchcase(key, pattern) for pattern in patterns)
