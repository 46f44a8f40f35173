"""`kanna infotext show`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Say how a picture was made, or print its text as it is.",
    "help": "Say how a picture, or a text beside it, says that it was made: program, prompt, negative prompt, parameters in their order, models with their hashes, and where in the file it stands. Text that is hidden in the pixels is looked for where nothing else says anything.\n\nExit code 3: a file does not say how it was made.",
    "examples": "Examples:\n\n  kanna infotext show picture.png\n\n  kanna infotext show --json outputs/ -r\n\n  kanna infotext show --raw picture.png > prompt.txt\n\n  kanna infotext show --keyword workflow picture.png > workflow.json",
    "option_raw": "Print the text exactly as it is, and nothing else.",
    "option_keyword": "Print the text under this keyword exactly as it is.",
    "several": (
        "{path} has several texts: {names}.",
        "Name one with --keyword.",
    ),
    "no_such_keyword": (
        "There is no text under {keyword} in {path}.",
        "There are: {names}.",
    ),
    "no_texts": (
        "There is no text in {path}.",
        "Programs that compress pictures drop it; look for the original.",
    ),
}
