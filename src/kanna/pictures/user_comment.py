"""EXIF's UserComment, in every way that programs write it.

It should be eight letters that name the encoding, then the text. With UNICODE, piexif (and so
A1111) writes UTF-16 with the large byte first whatever the order of the EXIF around it; others
take the order of the EXIF, and some write UTF-8.
Sources: Exif 2.32, 4.6.5 "UserComment"; hMatoba/Piexif piexif/helper.py.
"""

from __future__ import annotations

from typing import Final, NamedTuple

UNICODE: Final = b"UNICODE\0"
_ASCII: Final = b"ASCII\0\0\0"
_JIS: Final = b"JIS\0\0\0\0\0"
_UNDEFINED: Final = bytes(8)
_BOMS: Final = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le", b"\xef\xbb\xbf": "utf-8"}


class Written(NamedTuple):
    """A text and how its bytes are made: what stands before it, and the encoding."""

    text: str
    before: bytes
    encoding: str


def read_comment(raw: bytes) -> Written:
    """Return the text of a UserComment; what no encoding can read comes out as question marks."""
    code = raw[:8]
    if code == UNICODE:
        before, encodings = code, _unicode(raw[8:])
    elif code == _ASCII:
        before, encodings = code, ("utf-8", "latin-1")
    elif code == _JIS:
        before, encodings = code, ("iso2022_jp", "cp932", "euc_jp", "latin-1")
    else:
        before = _UNDEFINED if code == _UNDEFINED else b""
        encodings = _plain(raw[len(before) :])
    return _read(raw, before, encodings)


def write_comment(text: str, like: Written | None = None) -> bytes:
    """Return `text` as a UserComment: as `like` where that can hold it, else as piexif writes it.

    Where such bytes could be read as another text, a mark of the byte order goes before them.

    Raises:
        UnicodeEncodeError: it is no text: it has half of a surrogate pair.
    """
    ways = [(like.before, like.encoding)] if like and _is_held(text, like) else []
    for before, encoding in (*ways, (UNICODE, "utf-16-be")):
        try:
            raw = before + text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if read_comment(raw).text == text:
            return raw
    return UNICODE + b"\xfe\xff" + text.encode("utf-16-be")


def _is_held(text: str, like: Written) -> bool:
    """Whether readers of `like` can read `text`: what says ASCII is UTF-8 only where it was so."""
    return like.before != _ASCII or text.isascii() or not like.text.isascii()


def _read(raw: bytes, before: bytes, encodings: tuple[str, ...]) -> Written:
    for mark, encoding in _BOMS.items():
        if before in {UNICODE, _UNDEFINED, b""} and raw.startswith(before + mark):
            before, encodings = before + mark, (encoding,)
            break
    rest = raw[len(before) :]
    for encoding in encodings:
        try:
            return Written(_trimmed(rest.decode(encoding)), before, encoding)
        except UnicodeDecodeError:
            continue
    return Written(_trimmed(rest.decode(encodings[0], "replace")), before, encodings[0])


def _trimmed(text: str) -> str:
    return text.rstrip("\0")


def _unicode(raw: bytes) -> tuple[str, ...]:
    trimmed = raw.rstrip(b"\0")
    if b"\0" not in trimmed and trimmed:
        try:
            trimmed.decode()
        except UnicodeDecodeError:
            pass
        else:  # letters of Latin would have zeros in UTF-16, others are hardly ever valid UTF-8
            return ("utf-8",)
    return _wide(raw)


def _wide(raw: bytes) -> tuple[str, ...]:
    """Return both byte orders of UTF-16, the likelier first: the large bytes differ less."""
    large, small = raw[0::2], raw[1::2]
    zeros = large.count(0) - small.count(0)
    kinds = len(set(small)) - len(set(large))
    orders = ("utf-16-be", "utf-16-le")
    return orders if (zeros, kinds) >= (0, 0) else orders[::-1]


def _plain(raw: bytes) -> tuple[str, ...]:
    if b"\0" in raw.rstrip(b"\0"):
        return _wide(raw)
    return ("utf-8", "latin-1")
