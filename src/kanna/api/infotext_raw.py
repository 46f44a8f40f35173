"""One text of a picture, or a text file, exactly as it is."""

from __future__ import annotations

from pathlib import Path

from kanna.api.infotext_reading import read_bytes, read_infotext
from kanna.api.reading import StrPath
from kanna.errors import Incomplete, UsageError
from kanna.pictures.picture import PictureText


def raw_infotext(path: StrPath, keyword: str | None = None, *, stealth: bool = False) -> bytes:
    """Return the text under `keyword`, or the only one, in UTF-8; a text file as it is.

    A text that has no keyword goes by its place: ``xmp``, ``comment``.

    Raises:
        Incomplete: there is no text, or none under this keyword.
        UsageError: there are several, and no keyword was given.
        KannaError: as `read_infotext`.
    """
    place = Path(path)
    # how a text file is encoded does not matter here
    found = read_infotext(place, stealth=stealth, encoding="latin-1")
    if not found.is_picture and keyword is None:
        return read_bytes(place)
    texts = found.texts if found.is_picture else read_infotext(place).texts
    if not texts:
        raise Incomplete("infotext_show.no_texts", path=place)
    return _chosen(place, texts, keyword).text.encode("utf-8", "surrogatepass")


def _chosen(path: Path, texts: tuple[PictureText, ...], keyword: str | None) -> PictureText:
    names = ", ".join(dict.fromkeys(map(name_of, texts)))
    if keyword is None:
        if len(texts) > 1:
            raise UsageError("infotext_show.several", path=path, names=names)
        return texts[0]
    for text in texts:
        if name_of(text).lower() == keyword.lower():
            return text
    raise Incomplete("infotext_show.no_such_keyword", path=path, keyword=keyword, names=names)


def name_of(text: PictureText) -> str:
    """Return what to call a text: its keyword, else its place."""
    return text.keyword or text.place
