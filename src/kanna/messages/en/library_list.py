"""`kanna library list`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "List the models of the library.",
    "help": "List the models of the library, one to a line, with the number by which other verbs take them. With -q only paths are printed, with -v paths in the place of names. `kanna library find` looks for words and properties.",
    "examples": "Examples:\n\n  kanna library list --kind lora\n\n  kanna library list --root ~/ComfyUI/models\n\n  kanna library list --gone",
    "option_kind": "Only this kind, such as lora or checkpoint; may be given several times.",
    "option_root": "Only what is in this folder; may be given several times.",
    "option_gone": "Models whose files are no longer there.",
    "option_broken": "Models that could not be read.",
    "option_limit": "At most so many.",
    "broken": "cannot be read",
    "count": "Models: {count}",
}
