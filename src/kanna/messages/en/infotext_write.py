"""`kanna infotext write`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Put texts into pictures, whose images are not touched.",
    "help": "Put a text file into a copy of a picture (--to), in the place where programs look for it; what the picture said of how it was made gives way to it, and its image stays as it is, byte for byte. Without --to every text becomes a small PNG that programs can read it from. A folder of texts becomes a folder of pictures; with --to FOLDER, each text goes into the picture of its name.\n\nThe text is kept byte for byte: exported again, it is the same file.",
    "examples": "Examples:\n\n  kanna infotext write prompt.txt --to picture.png -o out.png\n\n  kanna infotext write prompts/ -o pngs/\n\n  kanna infotext write prompts/ --to pictures/ -o out/\n\n  kanna infotext write old.txt --encoding cp932 -o old.png",
    "option_output": "The picture to write, or a folder for one each.",
    "option_to": "The picture to be copied, or a folder of pictures with the names of the texts.",
    "is_picture": (
        "{path} is a picture.",
        "Give a text; `kanna infotext export` makes one of a picture.",
    ),
    "no_such_picture": (
        "{path} is no picture.",
        "Give a PNG, JPEG, WebP, AVIF or GIF with --to.",
    ),
    "empty": (
        "{path} is empty.",
        "Give a file with some text.",
    ),
    "one_picture": (
        "One picture ({path}) cannot take several texts.",
        "Give a folder of pictures with the names of the texts, or leave out --to.",
    ),
    "suffix": (
        "{name} would hold a {suffix} picture.",
        "Let its name end in {suffix}.",
    ),
    "replaced": "It takes the place of what the picture said before: {names}.",
    "bom": "The text begins with a byte order mark, and so does the prompt in the picture.",
}
