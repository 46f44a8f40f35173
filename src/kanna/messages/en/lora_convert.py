"""`kanna lora convert`: help, and what becomes of a LoRA."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Spell a LoRA for another program.",
    "help": "Write LoRAs in another dialect. No number changes, unless --dtype asks for it.",
    "examples": "Examples:\n\n"
    "  kanna lora convert lora.safetensors --to diffusers -o out.safetensors\n\n"
    "  kanna lora convert *.safetensors --to kohya -o converted/",
    "option_output": "Output file, or a folder for a suggested name (otherwise beside the input).",
    "option_to": "Dialect to write.",
    "option_architecture": "Architecture that the LoRA was made for, where the file does not tell: flux, sdxl ….",
    "option_dtype": "Precision of the LoRA (otherwise as it is).",
    "modules": "{dialect}: {count} modules ({kinds})",
    "alpha_in_metadata": "The strength of modules (alpha) is in the metadata, as {dialect} has it: programs that do not read it will use another strength.",
    "regrouped": "{before} modules became {after}, because layers are cut otherwise there.",
    "left_out": "{count} tensors left out that kanna cannot make sense of (such as {name}).",
    "no_such_architecture": (
        "There is no architecture {word}.",
        "kanna families lists them all.",
    ),
}
