"""`kanna library tag`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Give models tags, and take tags away.",
    "help": "Give each FILE the tags that are written with a plus, and take away those of --remove. FILE is a path, the number of a model (#12), 8 or more digits of a hash, or a name. Either all models get the tags, or none.",
    "examples": "Examples:\n\n  kanna library tag anime_v2 +favourite +portrait\n\n  kanna library tag '#12' '#13' --remove favourite\n\n  kanna library find --tag favourite",
    "option_remove": "Take this tag away; may be given several times.",
    "option_dry_run": "Show what would be changed.",
    "nothing": (
        "No file or no tag is named.",
        "Write tags with a plus: kanna library tag FILE +TAG; take one away with --remove TAG.",
    ),
    "would": "Nothing was changed.",
    "none": "no tags",
}
