"""`kanna recipe show`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Show what a recipe does.",
    "help": "Show what each RECIPE does: its models and whether they are found, its steps with their numbers, its output, and the models behind its models as far as they are known. RECIPE is a file or a model that carries one. Nothing is computed but hashes of files that may be its models.",
    "examples": "Examples:\n\n  kanna recipe show merged.safetensors --models models/\n\n  kanna recipe show recipe.toml --json",
}
