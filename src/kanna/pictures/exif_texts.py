"""The texts in an EXIF block, as those of the picture that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kanna.model import Note
from kanna.pictures.exif import PREFIX, USER_COMMENT, Entry, Exif, read_exif, tag_name
from kanna.pictures.limits import Allowance
from kanna.pictures.opened import Held, Piece
from kanna.pictures.picture import PictureText
from kanna.pictures.user_comment import Written, read_comment


class ExifEntry(NamedTuple):
    """Where a text is: the block, what stands before it in its piece, the entry, its encoding."""

    exif: Exif
    prefix: bytes
    entry: Entry
    written: Written


def exif_texts(
    body: bytes,
    piece: Piece,
    allowance: Allowance,
    notes: list[Note],
    *,
    after_data: bool = False,
    prefix: bytes = b"",
) -> Iterator[Held]:
    """Return the texts in the EXIF block `body`, with or without its usual prefix.

    `prefix` is what its piece has before that.

    Raises:
        FormatError: it leads in circles or outside of itself, or its texts are too long.
    """
    if body.startswith(PREFIX):
        prefix, body = prefix + PREFIX, body[len(PREFIX) :]
    exif = read_exif(body, allowance.path)
    if exif is None:
        said = {"path": allowance.path, "kind": piece.kind, "offset": piece.start}
        notes.append(Note("pictures.no_exif", said))
        return
    for entry in exif.texts():
        allowance.take(tag_name(entry.tag), entry.end - entry.start)
        written = read_entry(entry, body[entry.start : entry.end])
        if written.text.strip(" \0"):
            text = PictureText(
                place="exif", keyword=tag_name(entry.tag), text=written.text,
                encoding=written.encoding, after_data=after_data,
            )  # fmt: skip
            yield Held(text, piece, ExifEntry(exif, prefix, entry, written))


def read_entry(entry: Entry, raw: bytes) -> Written:
    """Return the text of an entry whose value is `raw`."""
    if entry.tag == USER_COMMENT:
        return read_comment(raw)
    if entry.tag > USER_COMMENT:  # those of Windows
        return Written(raw.decode("utf-16-le", "replace").rstrip("\0"), b"", "utf-16-le")
    try:
        return Written(raw.decode().rstrip("\0"), b"", "utf-8")
    except UnicodeDecodeError:
        return Written(raw.decode("latin-1").rstrip("\0"), b"", "latin-1")
