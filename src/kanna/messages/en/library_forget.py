"""`kanna library forget`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Take a folder out of the library.",
    "help": "Take a folder out of the library, with all that the library knows of the files in it. The files themselves stay as they are. Of a program's folder all its folders go; one of them alone stays out until it, or the program, is added again. Tags and notes exist nowhere else: where there are any, --force is needed.",
    "examples": "Examples:\n\n  kanna library forget /mnt/old --dry-run\n\n  kanna library forget ~/ComfyUI --force",
    "option_force": "Forget tags and notes, too.",
    "option_dry_run": "Show what would be forgotten.",
    "would": "Would forget models: {models}, pictures: {images}; of them with tags: {tagged}, with a note: {noted}. Nothing was changed.",
    "done": "Forgot models: {models}, pictures: {images}; of them with tags: {tagged}, with a note: {noted}. The files stay as they are.",
}
