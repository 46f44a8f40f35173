"""Gigabytes for the price of kilobytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from kanna.engine import stream, verify, work


@contextmanager
def small_chunks(size: int) -> Iterator[None]:
    """Let every tensor of a few kilobytes be cut as gigabytes are."""
    with (
        patch.object(work, "IN_CHUNK", size),
        patch.object(work, "OUT_CHUNK", size),
        patch.object(work, "MOVE_CHUNK", size * 2),
        patch.object(work, "MIN_MOVE", size),
        patch.object(stream, "IN_CHUNK", size),
        patch.object(stream, "OUT_CHUNK", size),
        patch.object(verify, "OUT_CHUNK", size),
    ):
        yield
