"""`kanna fix`: what was mended and what was left."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Mend what check finds.",
    "help": "Write a copy of each FILE without the findings of `kanna check` that can be mended "
    "without a person's decision: all of them in one pass. The input is never changed; what is left "
    "is said, and what you can do about it.",
    "examples": "Examples:\n\n  kanna fix model.ckpt --for generation -o model.safetensors\n\n"
    "  kanna fix model.safetensors --select KN203 --dry-run\n\n"
    "  kanna fix *.safetensors --ignore KN8 -o fixed/",
    "nothing": "nothing to mend.",
    "nothing_mechanical": "nothing that can be mended without a decision of yours.",
    "mended": "{count} mended",
    "would_mend": "{count} would be mended",
    "pickle": (
        "{name} would be a pickle again, which is one of the findings.",
        "Give the output the suffix .safetensors, or use kanna convert.",
    ),
    "config": "The config {path} was written beside it.",
    "left": "Left to you:",
    "remaining": "A check of the output still finds:",
}
