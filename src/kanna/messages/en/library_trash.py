"""`kanna library trash`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Put models with all that belongs to them in the trash.",
    "help": "Put each FILE with its companions in the trash of the system, where a file manager finds them (Linux and BSD: the trash of the same disk), else in kanna's own, the folder trash beside the library. `kanna library undo` brings them back.",
    "examples": "Examples:\n\n  kanna library trash model.safetensors\n\n  kanna library undo",
}
