"""`kanna infotext expand`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make many texts of one JSON file with lists.",
    "help": 'Make every combination of the values in a JSON file whose values may be lists, and write each as a text: STEM-00000.txt, STEM-00001.txt and so on. With "prompt_count": N, a range such as 0.2~1 in a prompt becomes N texts, in equal steps.',
    "examples": "Examples:\n\n  kanna infotext expand variations.json --dry-run\n\n  kanna infotext expand variations.json -o texts/\n\n  kanna infotext expand variations.json --png -o pngs/",
    "option_output": "The folder for the texts.",
    "option_png": "Write small PNGs that hold the texts.",
    "no_json": (
        "{path} cannot be expanded. {reason}",
        'Write a JSON object whose values may be lists, such as {{"prompt": ["a cat", "a dog"], "steps": 20}}.',
    ),
    "no_object": (
        "{path} holds no JSON object.",
        'Write an object whose values may be lists, such as {{"prompt": ["a cat", "a dog"], "steps": 20}}.',
    ),
    "no_output": (
        "Nothing says where to write.",
        "Give a folder with -o; --dry-run shows what would be made.",
    ),
    "would": "{path}: {count:,} texts would be written; the first:",
    "done": "{path}: {count:,} texts were written to {folder}.",
}
