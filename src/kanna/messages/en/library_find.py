"""`kanna library find`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Find models by words and by what they are.",
    "help": 'Find models of the library. Every WORD must occur, at least as the beginning of a word, in the name, the folder, the title, the tags, the note, the trigger words or what else the model says of itself; "a phrase" in quotes occurs as it is, -WORD must not occur. Where nothing is found so, words are looked for anywhere in names.\n\nOptions narrow that down; of an option given several times one must hold, of --tag and --finding each. With -q only paths are printed, with -v paths in the place of names. The exit code is 1 if nothing was found.',
    "examples": "Examples:\n\n  kanna library find anime sdxl --kind lora\n\n  kanna library find orangemix -inpaint --precision fp16\n\n  kanna library find --larger 10GB --sort size --limit 20\n\n  kanna library find --base sdxl --newer 30d\n\n  kanna library find --finding KN203 --json",
    "option_kind": "Only this kind: checkpoint, lora, vae, embedding …",
    "option_family": "Only this architecture, as kanna families has it: sdxl, flux, pony …",
    "option_variant": "Only this variant: inpaint, schnell …",
    "option_precision": "Only this precision or quantisation: fp16, bf16, fp8, gguf-q4_k …",
    "option_container": "Only this container: safetensors, ckpt, gguf, diffusers …",
    "option_finding": "Only models of which check finds this, such as KN203.",
    "option_tag": "Only models with this tag.",
    "option_base": "Only LoRAs and the like for this model: a family, or a part of the name that they give it.",
    "option_root": "Only what lies in this folder.",
    "option_role": "Only what lies in active or in backup folders.",
    "option_larger": "Only files of this size or more, such as 2GB.",
    "option_smaller": "Only files below this size.",
    "option_newer": "Only files changed since: 2024-05-01, or an age such as 30d, 2w, 6m.",
    "option_older": "Only files not changed since.",
    "option_unknown": "Only files of which kanna does not know what they are.",
    "option_broken": "Only files that could not be read.",
    "option_gone": "Models whose files are no longer there.",
    "option_note": "Only models with a note.",
    "option_sort": "The order: names from A, sizes and dates from the largest, or by family.",
    "option_limit": "At most so many.",
    "option_count": "Print only how many there are.",
    "found": "Models: {count}",
    "broken": "cannot be read",
    "gone": "(gone)",
    "no_such_word": ("{option}: there is no “{text}”.", "There are, among others: {words}"),
    "no_word_at_all": (
        "{option}: there is no “{text}”.",
        "No model of this library has any; see kanna library show for what one has.",
    ),
    "no_date": (
        "{option}: “{text}” is no date.",
        "Write 2024-05-01, 2024-05 or 2024, or an age: 30d, 2w, 6m, 1y.",
    ),
    "no_size": (
        "{option}: “{text}” is no size.",
        "Give a number with a unit, such as 2GB or 500MB.",
    ),
}
