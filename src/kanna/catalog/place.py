"""Where the library lies; apart from the library, so that to look there costs nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_NAME: Final = "library.sqlite3"


def library_path() -> Path:
    """Return where the user's library is, or would be: ``KANNA_LIBRARY`` names the file."""
    wanted = os.environ.get("KANNA_LIBRARY")
    if wanted:
        return Path(wanted)
    if sys.platform == "linux":  # what platformdirs says, without the time that it takes
        base = Path(os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share").expanduser()
        return base / "kanna" / _NAME
    from platformdirs import user_data_path

    return user_data_path("kanna", appauthor=False) / _NAME


def existing_library() -> Path | None:
    """Return where the user's library is, or None where there is none."""
    place = library_path()
    return place if place.exists() else None
