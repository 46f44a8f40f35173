"""`kanna infotext export`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Write the infotexts of whole folders as texts, JSON or a table.",
    "help": "Write what pictures say of how they were made: the exact text of each into a .txt of the same name, JSON documents, or one CSV table with a row for each picture. A folder of pictures becomes a folder of texts; pictures of one name with different suffixes keep them (a.png.txt).\n\nThe suffix of OUT says what is written, unless --to does. In CSV, text that a spreadsheet would run as a formula (it begins with = + - or @) gets an apostrophe in front; txt and json hold every letter as it is.",
    "examples": "Examples:\n\n  kanna infotext export outputs/ -r -o prompts.csv --excel\n\n  kanna infotext export outputs/ -o texts/\n\n  kanna infotext export outputs/ --beside\n\n  kanna infotext export picture.png -o picture.json",
    "option_output": "The file to write, or a folder for a file each.",
    "option_to": "What to write; by default what the suffix of OUT says, else txt. a1111: as A1111 would write it, whatever program did.",
    "option_beside": "Write a file beside each picture.",
    "option_excel": "Let a table begin with the mark by which Excel knows UTF-8.",
    "suffix": (
        "{name} is no name for what is to be written.",
        "Give a name that ends in {suffix}, or another form with --to.",
    ),
    "where": (
        "Nothing says where to write, or two things do.",
        "Give either -o OUT or --beside.",
    ),
    "one_table": (
        "A table is one file.",
        "Give its name with -o, such as -o prompts.csv.",
    ),
    "written": "{path} was written.",
    "planned": "{path} would be written.",
    "written_all": "{path} was written; pictures in it: {count:,}.",
    "planned_all": "{path} would be written; pictures in it: {count:,}.",
    "others": "not in it, because a text file holds one text: {names}",
}
