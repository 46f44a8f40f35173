"""`kanna library delete`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Delete models with all that belongs to them.",
    "help": "Delete each FILE with its companions, for good: this cannot be taken back. What another model of the same name needs stays. `kanna library trash` can be taken back.",
    "option_yes": "Delete without asking.",
    "ask": "Delete for good? Files: {count}, {size}",
    "not_asked": (
        "Nobody is there to be asked whether this may be deleted (files: {count}).",
        "Look at --dry-run, then say --yes.",
    ),
    "examples": "Examples:\n\n  kanna library delete model.safetensors --dry-run\n\n  kanna library delete model.safetensors --yes",
}
