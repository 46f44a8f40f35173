"""`kanna infotext edit`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Change prompts and parameters of pictures and texts in bulk.",
    "help": "Change what pictures and text files say: the prompt, the negative prompt, parameters. What is not changed stays byte for byte, the image too, and only files that change are written. Changes are made in the order in which they are given, from left to right; a macro file is a list of them.\n\n--dry-run shows what would change as a difference.",
    "examples": 'Examples:\n\n  kanna infotext edit outputs/ -r --replace "1girl" "1boy" --dry-run\n\n  kanna infotext edit *.png --regex "<lora:old:([^>]*)>" "<lora:new:\\1>" -o edited/\n\n  kanna infotext edit picture.png --set Seed 1 --remove "Lora hashes" --in-place\n\n  kanna infotext edit texts/ --macro macro.txt -o edited/',
    "option_replace": "Replace a text in the prompt.",
    "option_negative_replace": "Replace a text in the negative prompt.",
    "option_regex": "Replace what a regular expression finds in the prompt; \\1 is its first group.",
    "option_negative_regex": "The same in the negative prompt.",
    "option_prepend": "Put a text in front of the prompt.",
    "option_append": "Put a text behind the prompt.",
    "option_negative_prepend": "Put a text in front of the negative prompt.",
    "option_negative_append": "Put a text behind the negative prompt.",
    "option_set": "Set a parameter, in its place or behind the last.",
    "option_remove": "Take a parameter out.",
    "option_macro": "Make the changes that a macro file lists.",
    "hidden": (
        "The text of {path} is hidden in its pixels, where kanna does not write.",
        "Export it, change the text, and put that into the picture: kanna infotext write TEXT --to {path}",
    ),
    "nothing": (
        "Nothing says what to change.",
        "Give --replace, --set, --macro or another change; --help lists them.",
    ),
}
