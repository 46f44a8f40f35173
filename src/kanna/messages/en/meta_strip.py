"""`kanna meta strip`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Take fields out of a file's metadata.",
    "help": "Take fields out of each FILE: those named by --key (short words and patterns such as ss_* too), "
    "what tells private things (--private: prompts and workflows, names of data folders and captions, "
    "training sessions, paths on disks), or everything (--all).\n\nWhat programs need to load the model "
    "stays, such as _quantization_metadata; --private leaves ModelSpec's fields alone.",
    "examples": "Examples:\n\n  kanna meta strip lora.safetensors --private --dry-run\n\n"
    "  kanna meta strip lora.safetensors --key 'ss_*' --key thumbnail\n\n"
    "  kanna meta strip model.safetensors --all -o clean.safetensors",
    "option_key": "Take out this field, or all that a pattern fits; may be given several times.",
    "option_private": "Take out what tells of its maker's disk, data, prompts and sessions.",
    "option_all": "Take out everything that no program needs to load the model.",
    "option_force": "Replace an existing output; edit a file that has several names; take out, by its full "
    "name, what programs need.",
    "nothing": ("There is nothing to strip.", "Give --key, --private or --all."),
}
