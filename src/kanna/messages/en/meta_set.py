"""`kanna meta set`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Set fields of a file's metadata.",
    "help": "Set fields of each FILE. A short word stands for its field of ModelSpec: title, author, "
    "license, description, tags, trigger, hint, date, resolution, prediction, clip_skip, merged …; any "
    "other key, with a dot or an underscore in it, is taken as it is. Values of ModelSpec are checked.\n\n"
    "Only the header of a safetensors file is written to, never its weights: AutoV3 stays, and so do "
    "hash_sha256 and sshs_model_hash. Where the header has no room, the file is written anew with "
    "room for later edits.",
    "examples": "Examples:\n\n"
    '  kanna meta set model.safetensors title="My model" author=me license=CC-BY-4.0 trigger="my style"\n\n'
    "  kanna meta set model.safetensors --modelspec --thumbnail preview.png\n\n"
    "  kanna meta set lora.safetensors --import civitai --dry-run\n\n"
    "  kanna meta set *.safetensors --from fields.toml",
    "option_from": "Set the fields that this TOML or JSON file lists, too.",
    "option_thumbnail": "Put this picture in, at most 256 × 256 pixels and without EXIF.",
    "option_modelspec": "Fill in what follows from what the file is: architecture, implementation, "
    "resolution, prediction, dtypes, hash_sha256. No title and no date are made up.",
    "option_no_hash": "With --modelspec: no hash_sha256, for which all of the file is read.",
    "option_import": "Fill in what is still empty from files beside the model: title, author, description, "
    "tags, trigger words, date.",
    "nothing": (
        "There is nothing to set.",
        "Give KEY=VALUE, --from, --thumbnail, --modelspec or --import.",
    ),
    "no_file": ("No FILE was given.", "kanna meta set FILE KEY=VALUE"),
    "twice": ("{key} is given twice.", "Give it once."),
}
