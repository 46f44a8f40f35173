"""Pictures with other texts, and the proof that their image is the same."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from kanna.disk import InputFile, open_input
from kanna.errors import Incompatible
from kanna.pictures.changes import Changes, Patch, find_changes, patched, same_texts
from kanna.pictures.held_bytes import HeldBytes
from kanna.pictures.opened import Opened
from kanna.pictures.opening import picture_in, take_apart
from kanna.pictures.picture import Container, PictureText

_STEP: Final = 1 << 20
_HIDDEN: Final = frozenset({"stealth_alpha", "stealth_rgb"})
_WRITERS: Final[Mapping[Container, str]] = {
    "png": "kanna.pictures.png_writing",
    "jpeg": "kanna.pictures.jpeg_writing",
    "webp": "kanna.pictures.webp_writing",
    "avif": "kanna.pictures.avif_writing",
    "gif": "kanna.pictures.gif_writing",
}


class _Writer(Protocol):
    PLACES: frozenset[str]

    def patches(self, file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
        """Return what has to be patched so that the texts are those."""

    def image_runs(self, file: InputFile, opened: Opened) -> Iterator[tuple[int, int]]:
        """Return start and end of everything that makes the pixels."""


def with_texts(
    path: str | os.PathLike[str], texts: Iterable[PictureText], *, stripped: bool = False
) -> bytes:
    """Return the picture at `path` with exactly these texts; its image stays byte for byte.

    Texts that are there already keep their bytes, changed ones their place. New ones go where
    programs that make pictures put them, so `place` is kept but for a PNG's tEXt and zTXt, which
    become iTXt where Latin-1 lacks a letter. An edited EXIF keeps everything else that is in it.
    Where no text is wanted, those that nobody can read go, too. `stripped` also takes out what else
    is about the picture: times, IPTC, C2PA, and of EXIF all but how it is turned. Hidden texts,
    which are in the pixels, are passed over: see `without_stealth`. What comes out has been read
    again, and its image compared.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: the picture cannot be read, or a text is longer than 16 MiB.
        Incompatible: the container has no such place, or cannot hold such a text.
    """
    with closing(open_input(path)) as file:
        return replaced(file, list(texts), stripped=stripped)


def replaced(file: InputFile, texts: Sequence[PictureText], *, stripped: bool = False) -> bytes:
    """Return the picture in an open `file` with exactly these texts, as `with_texts` does."""
    opened = take_apart(file)
    writer = _writer(opened)
    for text in texts:
        if text.place not in writer.PLACES | _HIDDEN:
            raise Incompatible(
                "pictures.no_such_place", path=file.path, container=opened.container,
                place=text.place,
            )  # fmt: skip
    changes = replace(find_changes(opened.held, texts), stripped=stripped)
    data = file.read(0, file.size)
    broken = changes.bare and opened.finds.broken
    if not (changes.changed or changes.added or broken or stripped):
        return data
    try:
        made = patched(data, writer.patches(file, opened, changes))
    except KeyError as error:
        raise Incompatible("pictures.bad_keyword", path=file.path, keyword=error.args[0]) from None
    except (UnicodeEncodeError, OverflowError):
        made = b""
    if not made or not _is_right(file, HeldBytes(made, file.path), texts):
        raise Incompatible("pictures.cannot_hold", path=file.path, container=opened.container)
    return made


def _is_right(old: InputFile, new: InputFile, texts: Sequence[PictureText]) -> bool:
    return same_texts(picture_in(new).texts, texts) and _digest(old) == _digest(new)


def new_png(texts: Iterable[PictureText], size: tuple[int, int] = (1, 1)) -> bytes:
    """Return a black PNG of `size` pixels (width, height) with these texts.

    Raises:
        Incompatible: PNG has no such place, or cannot hold such a text.
    """
    from kanna.pictures.png_writing import blank_png

    return replaced(HeldBytes(blank_png(size), Path("new.png")), list(texts))


def image_data_digest(picture: str | os.PathLike[str] | bytes) -> str:
    """Return the SHA-256 of everything in a picture, a path or its bytes, that makes its pixels.

    It stays the same whatever texts are put in. It is no digest of the pixels: packed another way
    they give another one.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: the picture cannot be read.
    """
    if isinstance(picture, bytes):
        return _digest(HeldBytes(picture, Path("picture")))
    with closing(open_input(picture)) as file:
        return _digest(file)


def _digest(file: InputFile) -> str:
    import hashlib  # the library behind it loads slowly

    opened, state = take_apart(file), hashlib.sha256()
    for start, end in _writer(opened).image_runs(file, opened):
        for at in range(start, end, _STEP):
            state.update(file.read(at, min(_STEP, end - at)))
    return state.hexdigest()


def _writer(opened: Opened) -> _Writer:
    return cast("_Writer", import_module(_WRITERS[opened.container]))
