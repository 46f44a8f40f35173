"""What a picture file says in words, as values: which text, and in which place of the file.

Nothing here looks at pixels but the hidden text of `kanna.pictures.stealth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from kanna.model import Note

Container: TypeAlias = Literal["png", "jpeg", "webp", "avif", "gif"]
# The kinds of place: PNG's chunks by their names; EXIF, XMP and comments of the others; pixels.
Place: TypeAlias = Literal[
    "tEXt", "zTXt", "iTXt", "exif", "xmp", "comment", "stealth_alpha", "stealth_rgb",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureText:
    """A text in a picture.

    `keyword` is PNG's (``parameters``, ``prompt`` …), the EXIF tag's name (``UserComment``,
    ``Make`` …), or empty where the place has one text only. `encoding` is how its bytes were read,
    as Python names it. `after_data` says that it stands behind the image data.
    """

    place: Place
    keyword: str
    text: str
    encoding: str = "utf-8"
    after_data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture's container, size in pixels (None where it is not said) and texts in file order.

    `notes` are remarks: a text that was given up for its size, what is damaged behind the image.
    """

    path: Path
    container: Container
    width: int | None
    height: int | None
    texts: tuple[PictureText, ...]
    notes: tuple[Note, ...] = ()

    def text(self, *keywords: str) -> PictureText | None:
        """Return the first text under one of these keywords; the earlier keyword wins."""
        for keyword in keywords:
            for one in self.texts:
                if one.keyword == keyword:
                    return one
        return None
