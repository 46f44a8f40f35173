"""`kanna infotext extend`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Add the full hashes of a picture's models to its text.",
    "help": "Add the SHA-256 of the models that the library has to the text of pictures: of the checkpoint (Model sha256), the VAE, the hypernetwork and the LoRAs. Short hashes collide, and texts often name no VAE; with these, the picture can be made again exactly.\n\nOnly models that are certain count: those whose hash stands in the picture; that of a VAE does not do alone. --by-name also takes the one file that has just the name. What could not be resolved is told. Texts in the grammar of A1111, Forge, SD.Next and Civitai can be extended.",
    "examples": "Examples:\n\n  kanna infotext extend picture.png -o extended.png\n\n  kanna infotext extend outputs/ -r --in-place --dry-run\n\n  kanna infotext extend picture.png --by-name --library my.sqlite3 -o extended.png",
    "option_by_name": "Also take a file for the one that is meant because it has just that name.",
    "dialect": (
        "The text of {path} is not of A1111's kind, but {dialect}.",
        "Only texts of A1111, Forge, SD.Next and Civitai have a place for hashes.",
    ),
    "added": "{key}: {value}",
    "differs": "{key} is {old} already, and the file in the library has {new}; it was left as it is.",
    "missing": "{name} is not in the library.",
    "unknown": "{name} is not in the library, nor known otherwise.",
    "only_named": "{name} is probably {path}, but not for certain ({reason}); --by-name takes it.",
    "unsure": "{name} may be {path} ({reason}); that is not sure enough.",
    "not_hashed": "{name} is {path}, but that was not hashed yet; `kanna library scan` does it.",
}
