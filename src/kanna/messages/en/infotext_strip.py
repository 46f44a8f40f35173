"""`kanna infotext strip`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Take out of pictures how they were made.",
    "help": "Take out of pictures what tells how they were made: prompts, parameters and workflows in PNG texts, EXIF, XMP and comments. What else is left (a camera, a place, an author) is named; --all takes that out, too: all texts, and all of EXIF but how the picture is to be turned. Colour profiles stay.\n\nThe image stays as it is, byte for byte, and that is checked before anything is written. Text that is hidden in the pixels is told of; --stealth clears it, which changes the lowest bits of the pixels. With -o FOLDER/ every picture is written there, also those with nothing to take out.",
    "examples": "Examples:\n\n  kanna infotext strip picture.png -o clean.png\n\n  kanna infotext strip outputs/ -r --all --stealth -o upload/\n\n  kanna infotext strip --in-place *.png --dry-run",
    "option_all": "Take out all texts and all of EXIF, but how the picture is to be turned.",
    "option_stealth": "Clear text that is hidden in the pixels; changes their lowest bits.",
    "no_picture": (
        "{path} is no picture.",
        "Give a PNG, JPEG, WebP, AVIF or GIF.",
    ),
    "gone": "Taken out: {names}.",
    "left": "Left in it: {names}; --all takes them out, too.",
    "left_exif": "EXIF is left in it, such as camera, time or place; --all takes it out, too.",
    "hidden": "There is text hidden in the pixels; --stealth clears it.",
    "cleared": "Hidden text was cleared: the lowest bits of the pixels are others now.",
}
