"""`kanna recipe check`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Say whether a recipe makes sense.",
    "help": "Say whether each RECIPE makes sense: its names, methods, numbers and output. RECIPE is a file or a model that carries one. With --models, its files are looked for, too; the exit code is 3 if one is missing and 13 if one is another file than the recipe was made with.",
    "examples": "Examples:\n\n  kanna recipe check recipe.toml\n\n  kanna recipe check merged.safetensors --models models/",
}
