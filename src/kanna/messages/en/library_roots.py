"""`kanna library roots`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Show the folders of the library.",
    "help": "Show the folders that are looked through, what is kept in each, and whether it is there now.",
    "examples": "Examples:\n\n  kanna library roots\n\n  kanna library roots --json",
    "none": "No folders yet. Add some with kanna library add FOLDER.",
    "program_a1111": "A1111",
    "program_forge": "Forge",
    "program_comfyui": "ComfyUI",
    "program_invokeai": "InvokeAI",
    "backup": "backup",
    "missing": "not there now",
    "both": "models and pictures",
    "models": "models",
    "images": "pictures",
}
