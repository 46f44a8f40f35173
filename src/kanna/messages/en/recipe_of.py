"""`kanna recipe of`: help."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Print the recipe that a model carries.",
    "help": "Print the recipe that FILE carries in its metadata, as TOML for kanna run: the one of kanna, else what A1111, SuperMerger or sd-mecha left there. It names files by SHA-256 and without folders. The exit code is 3 if there is none.",
    "examples": "Examples:\n\n  kanna recipe of merged.safetensors\n\n  kanna recipe of merged.safetensors | kanna run - --models models/ -o again.safetensors",
}
