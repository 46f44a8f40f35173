"""Where the cache of hashes lies; apart from the cache, so that to look there costs nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_NAME: Final = "hashes.v1.sqlite3"  # the number changes with the tables


def cache_path() -> Path:
    """Return where the user's cache is, or would be: ``KANNA_CACHE`` is a folder."""
    wanted = os.environ.get("KANNA_CACHE")
    if wanted:
        return Path(wanted) / _NAME
    if sys.platform == "linux":  # what platformdirs says, without the time that it takes
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        return base / "kanna" / _NAME
    from platformdirs import user_cache_path

    return user_cache_path("kanna", appauthor=False) / _NAME


def existing_cache() -> Path | None:
    """Return where the user's cache is, or None where nothing was ever hashed."""
    place = cache_path()
    return place if place.exists() else None
