"""Which of several equal models to keep, and why: the one that people have put work into."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kanna.catalog.asking import FoundFile

# Marks of copies that systems and browsers make.
_COPY: Final = re.compile(r"\(\d+\)|\bcopy\b|コピー|副本|복사본", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One of several equal models: whether its root is active, and when it was first seen."""

    file: FoundFile
    active: bool
    first_seen: float


# What speaks for a copy, the most important first; the smaller value wins.
_MERITS: Final[dict[str, Callable[[Copy], Any]]] = {
    "tagged": lambda one: not (one.file.tags or one.file.note),
    "active": lambda one: not one.active,
    "header": lambda one: -one.file.size,  # of the same data: the rest is metadata
    "named": lambda one: bool(_COPY.search(one.file.path.stem)),
    "first": lambda one: one.first_seen,
    "path": lambda one: (len(str(one.file.path)), str(one.file.path)),
}
REASONS: Final = tuple(_MERITS)


def best_first(copies: Sequence[Copy]) -> list[Copy]:
    """Return the copies in the order in which they are worth keeping."""
    return sorted(copies, key=lambda one: [merit(one) for merit in _MERITS.values()])


def reason(best: Copy, second: Copy) -> str:
    """Return the first thing in which the best copy is better than another one."""
    return next(word for word, merit in _MERITS.items() if merit(best) != merit(second))
