"""About the arithmetic."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "missing": (
        "kanna cannot convert numbers here: its C extension was not built, and torch is missing.",
        "Run pip install 'kanna[torch]', or install a C compiler and then kanna again.",
    ),
}
