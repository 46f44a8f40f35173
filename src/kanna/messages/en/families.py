"""`kanna families`: the list of what kanna knows."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "List the model families that kanna knows.",
    "help": "List the model families that kanna knows, oldest first: the word that stands for each "
    "in reports, its parameters, the parts it needs, its variants.\n\nWith WORDs only those that "
    "mention all of them: a name, a maker, a variant, a part, a kind of file.",
    "examples": "Examples:\n\n  kanna families\n\n  kanna families t5xxl\n\n"
    "  kanna families lora flux",
    "column_word": "word",
    "column_title": "family",
    "column_parameters": "params",
    "column_needs": "needs",
    "more": "kanna explain WORD tells more about each.",
    "others": "Besides, by kind of file:",
    "none": (
        "No family mentions {words}.",
        "Take a word away, or see the whole list with kanna families.",
    ),
}
