"""`kanna lora extract`: help, and what a LoRA keeps of a difference."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make a LoRA of what a model has more than another.",
    "help": "Make a LoRA that turns the model BASE into TUNED, as well as its rank allows, and "
    "say exactly how well: the error that is told is that of BASE with the LoRA, rounding of the "
    "LoRA included.\n\nOne layer for each thread is in memory, beside the LoRA. Containers, layouts and "
    "quantised files mix.",
    "examples": "Examples:\n\n"
    "  kanna lora extract tuned.safetensors base.safetensors -o style.safetensors\n\n"
    "  kanna lora extract tuned.safetensors base.safetensors --dynamic frobenius:0.95 "
    "--max-rank 128 -o style.safetensors\n\n"
    "  kanna lora extract tuned.safetensors base.safetensors --rank 64 --no-conv "
    "--no-text-encoders --to diffusers -o loras/",
    "option_output": "Output file, or a folder for a suggested name.",
    "option_rank": "Rank of every layer (32).",
    "option_dynamic": "Let each layer choose its rank: ratio:10 (singular values above a tenth of "
    "the largest), cumulative:0.95 (this share of their sum), frobenius:0.95 (this share of the "
    "norm).",
    "option_most": "Highest rank with --dynamic (64).",
    "option_conv": "Rank of convolutions with a kernel (otherwise as for the other layers); with "
    "--dynamic their highest one.",
    "option_no_conv": "Leave convolutions with a kernel out.",
    "option_no_text_encoders": "Leave text encoders out.",
    "option_least": "Leave layers out of which no number differs by more than this (0).",
    "option_full": "Write biases, norms and embeddings that differ as whole differences, too.",
    "option_clamp": "Clip the factors at this quantile of their numbers; kohya's script has 0.99 "
    "(otherwise nothing is clipped).",
    "option_to": "Who reads the names (kohya: A1111, Forge, ComfyUI).",
    "option_dtype": "Precision of the LoRA (fp16).",
    "option_device": "Where torch computes: cpu, cuda, cuda:1, mps ….",
    "heading": "What the LoRA keeps",
    "column_block": "block",
    "column_layers": "layers",
    "column_error": "error",
    "column_ranks": "ranks",
    "column_worst": "layers that lose most",
    "overall": "all layers",
    "dry_run": "Nothing was written (--dry-run): at most {size} in {tensors:,} tensors, with about "
    "{memory} of memory.",
    "stated": "BASE with this LoRA differs from TUNED by {error} of what the models differ by.",
    "beside": "{count:,} biases, norms and embeddings differ, which no LoRA carries: {share} of the "
    "difference.",
    "beside_written": "{count:,} biases, norms and embeddings differ ({share} of the difference); "
    "they are written whole.",
    "skipped": "{count:,} layers that differ were left out: {share} of the difference.",
    "same": "{count:,} layers do not differ.",
    "more_blocks": "… and {count:,} more blocks (-v shows all)",
}
