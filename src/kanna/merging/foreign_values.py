"""What the readers of foreign recipes share: the result, files by their hashes, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final

from kanna.errors import UsageError
from kanna.merging.provenance import base_name
from kanna.merging.recipe import Recipe, Source
from kanna.model import Note

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A foreign recipe as ours, and notes on what of it is lost."""

    recipe: Recipe
    notes: tuple[Note, ...] = ()


def without_folders(recipe: Recipe) -> Recipe:
    """Return `recipe` with the names of its files alone, and without one for its output."""
    sources = {
        name: replace(source, path=None if source.path is None else base_name(source.path))
        for name, source in recipe.sources.items()
    }
    return replace(recipe, sources=sources, output=replace(recipe.output, path=None))


def hashed_source(value: object, models: Mapping[str, Any], where: str) -> Source:
    """Return the file with the SHA-256 `value`, under the name that `models` has for it.

    Raises:
        UsageError: it is no digest.
    """
    digest = str(value).lower()
    if not _SHA256.fullmatch(digest):
        raise UsageError("recipe.no_sha256", where=where, value=digest)
    known = models.get(digest)
    name = known.get("name") if isinstance(known, dict) else None
    return Source(path=base_name(name) if isinstance(name, str) else None, sha256=digest)


def number(value: object, where: str) -> float:
    """Return a number as other programs write it, also as text.

    Raises:
        UsageError: it is none.
    """
    try:
        found = float(value) if isinstance(value, int | float | str) else float("nan")
    except (ValueError, OverflowError):
        found = float("nan")
    if isinstance(value, bool) or not isfinite(found):
        raise UsageError("recipe.no_number", where=where, value=str(value))
    return found
