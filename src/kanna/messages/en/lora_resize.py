"""`kanna lora resize`: help, and what is kept."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Give a LoRA a lower rank, as good as can be.",
    "help": "Cut every module of LORA down to a rank, or to one that its singular values choose, "
    "and say how much of it is kept. The factors are decomposed exactly; the layer's own matrix "
    "is never formed.\n\nLoHa and LoKr become plain LoRA. What has no rank stays as it is.",
    "examples": "Examples:\n\n"
    "  kanna lora resize style-r128.safetensors --rank 16 -o style-r16.safetensors\n\n"
    "  kanna lora resize style.safetensors --dynamic frobenius:0.98 --max-rank 64 "
    "-o style-small.safetensors",
    "option_rank": "Rank of every layer; layers that have less keep theirs.",
    "option_to": "Who reads the names (otherwise they stay).",
    "option_dtype": "Precision of the LoRA (otherwise that of the file).",
    "kept": "It keeps {share} of the LoRA's Frobenius norm; the ranks were {ranks}.",
}
