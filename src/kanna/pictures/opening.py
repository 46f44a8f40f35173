"""Opening a picture: what it says, read in a few small steps, without its image."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib import import_module
from typing import Final

from kanna.disk import InputFile, open_input
from kanna.errors import FormatError
from kanna.pictures.containers import HEAD, container_of
from kanna.pictures.opened import Opened
from kanna.pictures.picture import Container, Picture

# The module of each container; its `read` takes the file apart.
_READERS: Final[Mapping[Container, str]] = {
    "png": "kanna.pictures.png",
    "jpeg": "kanna.pictures.jpeg",
    "webp": "kanna.pictures.webp",
    "avif": "kanna.pictures.avif",
    "gif": "kanna.pictures.gif",
}


def open_picture(path: str | os.PathLike[str], *, stealth: bool = False) -> Picture:
    """Return what the picture at `path` says: a PNG, JPEG, WebP, AVIF, HEIF or GIF.

    No pixel is looked at unless `stealth` asks for text that is hidden in them; only lossless
    pictures can have some. What is damaged behind the image is a note.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: it is no picture, it is cut off before its image, one of its texts is longer
            than 16 MiB or all are longer than 32 MiB, or its EXIF leads in circles or outside.
    """
    with closing(open_input(path)) as file:
        return picture_in(file, stealth=stealth)


def picture_in(file: InputFile, *, stealth: bool = False) -> Picture:
    """Return what the picture in an open `file` says, as `open_picture` does."""
    opened = take_apart(file)
    texts = tuple(held.text for held in opened.held)
    notes = tuple(opened.finds.notes)
    if stealth:
        from kanna.pictures.stealth import hidden_texts  # it decodes pixels

        found, more = hidden_texts(file, opened)
        texts, notes = texts + found, notes + more
    return Picture(
        path=file.path,
        container=opened.container,
        width=opened.width,
        height=opened.height,
        texts=texts,
        notes=notes,
    )


def take_apart(file: InputFile) -> Opened:
    """Return the pieces and texts of the picture in an open `file`.

    Raises:
        FormatError: as `open_picture`.
    """
    container = container_of(file.read(0, min(file.size, HEAD)))
    if container is None:
        raise FormatError("pictures.no_picture", path=file.path)
    read: Callable[[InputFile], Opened] = import_module(_READERS[container]).read
    return read(file)
