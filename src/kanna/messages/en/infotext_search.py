"""`kanna infotext search`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Find pictures by their prompts, models, seeds and samplers.",
    "help": 'List the newest pictures whose prompt has all WORDS and that fit the options: in the library, or with --in in folders as they are. Words are whole words; sea* is a beginning, "red hair" a phrase, -dog must not occur (put -- in front of it). Japanese is found by any part.\n\nExit code 1: no picture fits.',
    "examples": 'Examples:\n\n  kanna infotext search cat "red hair"\n\n  kanna infotext search --model 6ce0161689 --sampler Euler\n\n  kanna infotext search 桜 --lora style --in outputs/\n\n  kanna infotext search --seed 1234567890 --json',
    "option_negative": "Words of the negative prompt.",
    "option_model": "A part of the model's name, or the beginning of its hash as the picture has it.",
    "option_lora": "The same of a LoRA.",
    "option_seed": "The seed.",
    "option_sampler": "How the sampler's name begins.",
    "option_in": "Look through this folder and those below it, and not into the library.",
    "option_limit": "The most pictures that are listed (100).",
    "nothing": (
        "Nothing says what to look for.",
        "Give words of the prompt, or --model, --lora, --seed, --sampler or --negative.",
    ),
    "none": "No picture fits.",
    "more": "These are the {count:,} newest; -n lists more.",
}
