"""`kanna meta show`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Show what a file says about itself.",
    "help": "Show the metadata of each FILE, by whose it is: ModelSpec, with what is missing or "
    "malformed; kohya's training, with tags and data sets; merges; workflows; all else. Then what "
    "lies beside the file: notes of A1111, Civitai, Stability Matrix and LoRA Manager, and previews.",
    "examples": "Examples:\n\n  kanna meta show model.safetensors\n\n"
    "  kanna meta show model.safetensors --raw workflow > workflow.json\n\n"
    "  kanna meta show model.safetensors --thumbnail thumbnail.png",
    "option_raw": "Print the value of this field as it is, and nothing else.",
    "option_thumbnail": "Write the thumbnail inside to this picture file.",
    "option_force": "Replace an existing picture.",
    "written": "{path} written.",
    "one_picture": ("--thumbnail takes one FILE.", "Name one model at a time."),
}
