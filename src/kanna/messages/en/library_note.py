"""`kanna library note`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Write a note on a model.",
    "help": "Write a note on a model in the place of the one that it has, show it without TEXT, or take it away. Notes are found by `kanna library find` and move with the file.",
    "examples": 'Examples:\n\n  kanna library note anime_v2 "CLIP skip 2, not for portraits"\n\n  kanna library note anime_v2\n\n  kanna library note anime_v2 --remove',
    "option_remove": "Take the note away.",
    "one_of_both": (
        "A note cannot be written and removed at once.",
        "Leave out the text, or --remove.",
    ),
}
