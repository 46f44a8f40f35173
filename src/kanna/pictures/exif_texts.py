"""The texts in an EXIF block, as those of the picture that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kanna.pictures.exif import PREFIX, USER_COMMENT, Entry, Exif, read_exif, tag_name
from kanna.pictures.opened import Finds, Held, Piece
from kanna.pictures.picture import PictureText
from kanna.pictures.user_comment import Written, read_comment


class ExifBlock(NamedTuple):
    """An EXIF block: its map, the piece it is in, and what stands before it there.

    `inside` is what its container needs beside that to write it anew.
    """

    exif: Exif
    piece: Piece
    prefix: bytes
    inside: object


class ExifText(NamedTuple):
    """Where a text is: the block, the entry in it, and how its bytes are made."""

    block: ExifBlock
    entry: Entry
    written: Written


def exif_texts(
    body: bytes,
    piece: Piece,
    finds: Finds,
    *,
    after_data: bool = False,
    prefix: bytes = b"",
    inside: object = None,
) -> Iterator[Held]:
    """Return the texts in the EXIF block `body`, with or without its usual prefix.

    `prefix` is what its piece has before that.

    Raises:
        FormatError: it leads in circles or outside of itself, or its texts are too long.
    """
    if body.startswith(PREFIX):
        prefix, body = prefix + PREFIX, body[len(PREFIX) :]
    exif = read_exif(body, finds.path)
    if exif is None:
        finds.unread("pictures.no_exif", piece)
        return
    block = ExifBlock(exif, piece, prefix, inside)
    finds.exif.append(block)
    for entry in exif.texts():
        finds.allowance.take(tag_name(entry.tag), entry.end - entry.start)
        written = read_entry(entry.tag, body[entry.start : entry.end])
        if written.text.strip(" \0"):
            text = PictureText(
                place="exif", keyword=tag_name(entry.tag), text=written.text,
                encoding=written.encoding, after_data=after_data,
            )  # fmt: skip
            yield Held(text, piece, ExifText(block, entry, written))


def read_entry(tag: int, raw: bytes) -> Written:
    """Return the text of an entry with this tag whose value is `raw`."""
    if tag == USER_COMMENT:
        return read_comment(raw)
    if tag > USER_COMMENT:  # those of Windows
        return Written(raw.decode("utf-16-le", "replace").rstrip("\0"), b"", "utf-16-le")
    try:
        return Written(raw.decode().rstrip("\0"), b"", "utf-8")
    except UnicodeDecodeError:
        return Written(raw.decode("latin-1").rstrip("\0"), b"", "latin-1")
