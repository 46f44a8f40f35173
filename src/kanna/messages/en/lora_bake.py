"""`kanna lora bake`: help, and why a request makes no sense."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Put LoRAs into a model.",
    "help": "Add LoRAs of any kind and dialect to a model, one after the other, and write one file.",
    "examples": "Examples:\n\n"
    "  kanna lora bake model.safetensors style.safetensors -o baked.safetensors --dtype fp16\n\n"
    "  kanna lora bake model.safetensors a.safetensors b.safetensors --weights 0.8,0.5 "
    "-o both.safetensors\n\n"
    "  kanna lora bake model.safetensors style.safetensors --blocks 'IN*=0,OUT*=0.7' "
    "-o out.safetensors",
    "option_output": "Output file, or a folder for a suggested name.",
    "option_weights": "Strength of each LoRA, or one for all (1).",
    "option_te_weights": "Strengths in the text encoders, where they are others.",
    "option_blocks": "Strengths by block, in the place of --weights: once for all LoRAs, or once for each.",
    "option_elements": "Strength of some tensors by name, such as 'attn2.*to_k=0.2' (may be repeated).",
    "option_skip_unknown": "Leave out what kanna does not understand or the model does not have, and say so.",
    "option_vae": "File whose VAE is baked in.",
    "no_loras": (
        "No LoRA was given.",
        "Name the model first, then one or more LoRAs.",
    ),
    "wrong_count": (
        "{option} has {given} values for {count} LoRAs.",
        "Give one for all, or one for each.",
    ),
}
