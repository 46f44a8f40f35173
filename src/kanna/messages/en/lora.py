"""`kanna lora`: LoRAs and their kin, read, baked and spelled anew."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "bake LoRAs into models, and spell them for another program",
    "help": "Works on LoRAs and their kin: LoHa, LoKr, DoRA, IA3, OFT, full differences.",
    "examples": "kanna lora bake model.safetensors style.safetensors -o baked.safetensors",
    "no_lora": (
        "{path} is no LoRA: it is a {kind}.",
        "Give a LoRA; kanna inspect says what a file is.",
    ),
    "no_modules": (
        "{path} holds nothing that a LoRA consists of.",
        "Give a LoRA; kanna inspect says what a file is.",
    ),
    "unknown_tensors": (
        "{path} has {count} tensors that kanna cannot make sense of, such as {name}.",
        "With --skip-unknown they are left out.",
    ),
}
