"""`kanna library rename`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Give a model and its companions another name.",
    "help": "Call FILE and all its companions NAME, which may be written with the suffix of FILE or without; suffixes stay. Names inside of .sha256 files and of the index of shards follow; all other content stays as it is.",
    "examples": "Examples:\n\n  kanna library rename 某モデル.safetensors some_model\n\n  kanna library rename model.safetensors model-fp16 --dry-run",
}
