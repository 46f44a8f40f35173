"""The texts of a picture or a text file, read, and what they say of how it was made."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from kanna.api.infotext_values import Infotext
from kanna.api.reading import StrPath
from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.infotext import open_text, open_texts
from kanna.pictures import PICTURE_SUFFIXES, is_picture, open_picture
from kanna.pictures.picture import PictureText

_HEAD: Final = 4096
_LARGEST_TEXT: Final = 64 << 20  # bytes; workflows with pictures inside reach a tenth of it
_HIDING: Final = frozenset({"png", "webp", "avif"})  # containers that can keep every bit of a pixel
BOM: Final = "\ufeff"
# how text files may be encoded: names of Python's codecs
ENCODINGS: Final = (
    "utf-8", "cp932", "euc_jp", "utf-16", "gb18030", "big5", "cp949", "latin-1",
)  # fmt: skip


def read_infotext(path: StrPath, *, stealth: bool = False, encoding: str = "utf-8") -> Infotext:
    """Return what the picture or the text file at `path` says of how it was made.

    Text hidden in pixels is looked for with `stealth`, and where nothing else says anything.
    `encoding` is that of a text file; `ENCODINGS` lists them.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: the picture is broken, or it is no text in this encoding.
    """
    place = Path(path)
    with closing(InputFile(place)) as file:
        head = file.read(0, min(file.size, _HEAD))
        fingerprint = file.fingerprint
    if is_picture(head) or place.suffix.lower() in PICTURE_SUFFIXES:
        found = _of_picture(place, stealth=stealth)
    else:
        found = _of_text(place, read_text(place, encoding), encoding)
    return replace(found, size=fingerprint.size, fingerprint=fingerprint)


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Return a text file whole: line ends and a byte order mark stay as they are.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: it is no text in this encoding, or far too large for one.
    """
    data = read_bytes(path)
    if b"\0" in data[:_HEAD] and encoding != "utf-16":
        raise FormatError("infotext.no_text", path=path)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        key = "infotext.not_utf8" if encoding == "utf-8" else "infotext.not_encoding"
        raise FormatError(key, path=path, offset=error.start, encoding=encoding) from error


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a text file.

    Raises:
        Incomplete: there is no such file, or it cannot be read.
        FormatError: it is far too large for a text.
    """
    with closing(InputFile(path)) as file:
        if file.size > _LARGEST_TEXT:
            raise FormatError("infotext.too_large", path=path, size=file.size)
        return file.read(0, file.size)


def _of_picture(path: Path, *, stealth: bool) -> Infotext:
    picture = open_picture(path, stealth=stealth)
    editable = open_texts(picture.texts)
    if editable is None and not stealth and picture.container in _HIDING:
        picture = open_picture(path, stealth=True)
        editable = open_texts(picture.texts)
    return Infotext(
        path=path.absolute(), holder=picture.container, size=0, width=picture.width,
        height=picture.height, texts=picture.texts, editable=editable, notes=picture.notes,
    )  # fmt: skip


def _of_text(path: Path, whole: str, encoding: str) -> Infotext:
    text = whole.removeprefix(BOM)
    editable = open_text(text) if text.strip() else None
    return Infotext(
        path=path.absolute(), holder="json" if path.suffix.lower() == ".json" else "txt", size=0,
        width=None, height=None, editable=editable, encoding=encoding,
        texts=editable.texts() if editable is not None else (plain_text(text),),
        bom=whole[: len(whole) - len(text)],
    )  # fmt: skip


def plain_text(text: str) -> PictureText:
    """Return a text as pictures of most programs have it."""
    return PictureText(place="iTXt", keyword="parameters", text=text)
