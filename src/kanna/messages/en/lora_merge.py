"""`kanna lora merge`: help, and how well a sum is kept."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make one LoRA of several, exactly or at a rank.",
    "help": "Make one LoRA that does what all FILEs do together, each at its weight. concat is "
    "exact: the ranks add up. svd cuts the sum down to a rank, as well as that can be done. "
    "Dialects, ranks and layers may differ.\n\nThe ups and downs of LoRAs are never added apart: "
    "that is no sum of what they do.",
    "examples": "Examples:\n\n"
    "  kanna lora merge style.safetensors character.safetensors -o both.safetensors\n\n"
    "  kanna lora merge a.safetensors b.safetensors -w 0.8,-0.3 --method svd --rank 32 "
    "-o mixed.safetensors",
    "option_output": "Output file, or a folder for a suggested name.",
    "option_weights": "The weight of each LoRA, with commas between them (1,1,…); they may be "
    "negative.",
    "option_method": "concat: exact, the ranks add up. svd: the best of a rank.",
    "option_rank": "Rank of every layer, with --method svd.",
    "option_most": "Highest rank with --dynamic (128).",
    "option_to": "Who reads the names (otherwise as those of the first LoRA).",
    "option_dtype": "Precision of the LoRA (otherwise the widest of the inputs').",
    "kept": "It differs from the weighted sum by {error}. Layers that more than one LoRA changes: "
    "{shared:,}.",
    "dry_run": "Nothing was written (--dry-run): {tensors:,} tensors would be, {size}.",
}
