"""`kanna library scan`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Read what is new in the folders of the library.",
    "help": "Bring the library up to date: models and pictures that are new or changed are read, on all cores; moved ones keep their tags and notes; what is gone is marked. Headers come first, then the hashes of all files that have none yet, the smallest first. A file that did not change costs one look at its size and time.\n\nStop it at any moment: what is finished is kept, and the next scan goes on from there. A folder that is not there, such as one on a disk that is not connected, is told, and its files are not taken for gone.",
    "examples": "Examples:\n\n  kanna library scan\n\n  kanna library scan ~/ComfyUI/models/loras --no-hash\n\n  kanna library scan --full --dry-run",
    "option_no_hash": "Compute no hashes.",
    "option_parts": "Compute a hash of every part, by which the same VAE is found in several checkpoints; reads all models a second time.",
    "option_full": "Read every header again, changed or not.",
    "option_dry_run": "Only count what is new, changed, moved and gone.",
    "interrupted": (
        "Stopped. What was finished is kept.",
        "Run kanna library scan again to go on.",
    ),
    "models": "Models:",
    "images": "Pictures:",
    "separator": ", ",
    "new": "{count} new",
    "changed": "{count} changed",
    "moved": "{count} moved",
    "back": "{count} back again",
    "gone": "{count} gone",
    "unchanged": "{count} unchanged",
    "broken": "{count} cannot be read",
    "hashed": "{count} hashed",
    "missing": "{path} is not there, or it is empty now; what the library knows of it stays as it is.",
    "see_broken": "See them with kanna library list --broken.",
    "done": "{seconds} s",
    "would": "{seconds} s. Nothing was changed.",
    "bar_look": "looking",
    "bar_read": "reading",
    "bar_hash": "hashing",
    "bar_counts": "{read} / {asked} read, {seen} seen",
}
