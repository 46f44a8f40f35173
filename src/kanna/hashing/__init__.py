"""Digests of files and of what is inside them, and what is known of each.

::

    digests      the digests that a file can have, as values
    files        every digest of a file, in one read; many ─ many files on all cores
    components   digests that name a part by its numbers, whatever the file around it
    embeddings   the four digits of a textual inversion
    cache        what was computed once, kept in one SQLite file; place ─ where that lies
    known        the table of published models, by every digest
    resolving    a digest of any length: every meaning it can have, and which one hit
    recall       what the cache knows of a file, so that `inspect` can say it
    sidecars     .sha256 files beside models
    webui        A1111's caches of hashes, imported

Each is imported when it is first used: to look into the cache needs no arithmetic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanna.hashing.components import component_digest, component_digests

__all__ = ["component_digest", "component_digests"]


def __getattr__(name: str) -> object:
    """Import what is asked for from its home."""
    if name in __all__:
        return getattr(import_module("kanna.hashing.components"), name)
    raise AttributeError(name)
