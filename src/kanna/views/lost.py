"""Numbers that are lost inside of views: whoever reads a view learns of them, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from kanna.kernel import Counts

_LISTENING: Final[ContextVar[list[Counts] | None]] = ContextVar("listening", default=None)


@contextmanager
def heard() -> Iterator[list[Counts]]:
    """Collect what `tell` is told while views are read here, in this thread."""
    found: list[Counts] = []
    before = _LISTENING.set(found)
    try:
        yield found
    finally:
        _LISTENING.reset(before)


def tell(counts: Counts) -> None:
    """Tell of good numbers that became too large or NaN, if there are any, on the way."""
    found = _LISTENING.get()
    if found is not None and counts.lost:
        found.append(Counts(nan_made=counts.nan_made, overflowed=counts.overflowed))
