"""What tells how a picture was made, taken out of it: texts, and what is hidden in its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from kanna.api.infotext_changing import check_unchanged, finish
from kanna.api.infotext_raw import name_of
from kanna.api.infotext_reading import read_infotext
from kanna.api.infotext_traces import generation_texts, is_hidden
from kanna.api.infotext_values import Infotext, InfotextChange, InfotextOptions
from kanna.api.reading import StrPath
from kanna.disk import InputFile
from kanna.errors import UsageError
from kanna.model import Note
from kanna.pictures import with_texts
from kanna.pictures.exif import POINTERS, is_text
from kanna.pictures.held_bytes import HeldBytes
from kanna.pictures.opening import take_apart
from kanna.pictures.picture import PictureText
from kanna.pictures.revealing import revealed

_ORIENTATION: Final = 0x0112
_PLAIN_TAGS: Final = frozenset({_ORIENTATION, *POINTERS})


def strip_infotext(
    path: StrPath, destination: StrPath | None = None, *, everything: bool = False,
    options: InfotextOptions | None = None,
) -> InfotextChange:  # fmt: skip
    """Take out of a picture what tells how it was made; its image stays as it is.

    `everything` takes out all texts and all of EXIF but what says how the picture is to be turned.
    ``options.stealth`` also clears text that is hidden in the pixels, which changes their lowest
    bits. To a `destination` the picture is written even where there was nothing to take out.

    Raises:
        UsageError: it is no picture.
        FormatError: it is a broken one.
        KannaError: it cannot be written.
    """
    options = options or InfotextOptions()
    found = read_infotext(path, stealth=True)
    if not found.is_picture:
        raise UsageError("infotext_strip.no_picture", path=found.path)
    gone = _gone(found, everything=everything)
    clears = options.stealth and any(map(is_hidden, found.texts))
    kept = tuple(text for text in found.texts if text not in gone)
    left = tuple(text for text in kept if not (clears and is_hidden(text)))
    data = with_texts(found.path, kept, stripped=everything)
    check_unchanged(found)
    if clears:
        data = revealed(HeldBytes(data, found.path))
    changed = destination is not None or data != _bytes_of(found.path)
    return finish(
        found, left, data, None if destination is None else Path(destination), options,
        _notes(found, gone, left, clears=clears, more=not everything and _has_more(found.path)),
        changed=changed,
    )  # fmt: skip


def _bytes_of(path: Path) -> bytes:
    with closing(InputFile(path)) as file:
        return file.read(0, file.size)


def _gone(found: Infotext, *, everything: bool) -> tuple[PictureText, ...]:
    if not everything:
        return generation_texts(found)
    return tuple(text for text in found.texts if not is_hidden(text))


def _has_more(path: Path) -> bool:
    """Whether a picture's EXIF says more than texts and how it is turned."""
    with closing(InputFile(path)) as file:
        maps = [block.exif.directories.values() for block in take_apart(file).finds.exif]
    entries = (entry for directories in maps for one in directories for entry in one.entries)
    return any(one.tag not in _PLAIN_TAGS and not is_text(one) for one in entries)


def _notes(
    found: Infotext, gone: Iterable[PictureText], left: Iterable[PictureText], *, clears: bool,
    more: bool,
) -> Iterator[Note]:  # fmt: skip
    """Yield what was taken out, and what stays."""
    plain = [text for text in left if not is_hidden(text)]
    for key, texts in (("gone", gone), ("left", plain)):
        names = ", ".join(dict.fromkeys(map(name_of, texts)))
        if names:
            yield Note(f"infotext_strip.{key}", {"names": names}, warning=False)
    if more:
        yield Note("infotext_strip.left_exif", {}, warning=False)
    if clears:
        yield Note("infotext_strip.cleared", {}, warning=False)
    elif any(map(is_hidden, found.texts)):
        yield Note("infotext_strip.hidden", {})
