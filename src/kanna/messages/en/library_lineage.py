"""`kanna library lineage`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Show what a model was made of, and what was made of it.",
    "help": "Show the models that FILE was made of, by merge recipes, training, baked LoRAs and VAEs, and those that were made of it, as far as the files themselves say so. FILE is a path, a name, a hash or a number of the library. Models that the library does not have are named from the table of published models or as the file names them; what only a name speaks for is told as likely or possible.",
    "examples": "Examples:\n\n  kanna library lineage AbyssOrangeMix3\n\n  kanna library lineage merged.safetensors --depth 2\n\n  kanna library lineage merged.safetensors --to mermaid",
    "option_depth": "So many steps in either direction.",
    "option_to": "Print the graph for a program that draws: mermaid or dot (Graphviz).",
    "one_form": ("--json and --to are two forms of one graph.", "Choose one of them."),
    "made_of": "made of",
    "used_in": "used in",
    "merged_from": "merged",
    "made_from": "made from it",
    "trained_on": "trained on it",
    "vae_of": "its VAE",
    "lora_of": "LoRA",
    "is_likely": "likely",
    "is_possible": "possibly",
    "published": "published, not in the library",
    "absent": "not in the library",
    "gone": "gone",
    "circle": "a circle",
    "again": "see above",
    "nothing": "Neither this file nor another one says anything of that.",
    "cut": "The graph goes on beyond this: --depth shows more.",
}
