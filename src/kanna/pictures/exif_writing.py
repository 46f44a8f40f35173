"""EXIF with other texts: which of a picture's blocks change, and what is in them then.

Sources: as `kanna.pictures.exif`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from kanna.pictures.changes import Changes
from kanna.pictures.exif import USER_COMMENT, Entry, Exif, read_exif, tag_number
from kanna.pictures.exif_draft import Draft
from kanna.pictures.exif_texts import ExifBlock, ExifText, read_entry
from kanna.pictures.opened import Opened
from kanna.pictures.picture import PictureText
from kanna.pictures.user_comment import Written, write_comment

_EMPTY: Final = b"MM\0*\0\0\0\x08" + bytes(6)
_SHORT: Final = 3
_ORIENTATION: Final = 0x0112
_TURNED: Final = range(2, 9)  # 1 is upright


def edited_blocks(opened: Opened, changes: Changes) -> Iterator[tuple[ExifBlock, bytes | None]]:
    """Return every EXIF block that changes, and its bytes then; None where nothing is left of it.

    The first block takes what is added. Of a stripped picture's, how it is turned is left.
    """
    if changes.stripped:
        yield from ((block, orientation_only(block.exif)) for block in opened.finds.exif)
        return
    for number, block in enumerate(opened.finds.exif):
        values = {
            held.how.entry: (changes.changed[index], held.how.written)
            for index, held in enumerate(opened.held)
            if isinstance(held.how, ExifText)
            and held.how.block is block
            and index in changes.changed
        }
        added = changes.added_in("exif") if number == 0 else []
        if values or added:
            yield block, edit_exif(block.exif, values, added)


def orientation_only(exif: Exif) -> bytes | None:
    """Return an EXIF block that says how the picture is turned, None where it is not turned."""
    for entry in exif.directories["main"].entries:
        if (entry.tag, entry.type, entry.values) == (_ORIENTATION, _SHORT, 1):
            (value,) = struct.unpack_from(f"{exif.order}H", exif.data, entry.start)
            if value in _TURNED:
                row = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, value, 0)
                return _EMPTY[:8] + b"\0\x01" + row + bytes(4)
    return None


def new_block(opened: Opened, changes: Changes) -> bytes:
    """Return an EXIF block for what is added to a picture that has none, else nothing."""
    added = [] if opened.finds.exif else changes.added_in("exif")
    return make_exif(added) if added else b""


def make_exif(texts: Sequence[PictureText]) -> bytes:
    """Return an EXIF block with these texts, without prefix, its order as piexif writes it.

    Raises:
        KeyError: EXIF has no place under such a keyword.
    """
    from pathlib import Path

    empty = read_exif(_EMPTY, Path())
    assert empty is not None
    return edit_exif(empty, {}, texts) or b""


def edit_exif(
    exif: Exif,
    values: Mapping[Entry, tuple[PictureText | None, Written]],
    added: Iterable[PictureText],
) -> bytes | None:
    """Return an EXIF block in which some entries have other texts, or go, and some are new.

    None says that no entry is left.

    Raises:
        KeyError: EXIF has no place under a new text's keyword.
    """
    draft = Draft(exif)
    draft.free(list(values))
    for entry, (text, like) in values.items():
        draft.put(entry, None if text is None else _encoded(entry.tag, text.text, like))
    for text in added:
        tag = tag_number(text.keyword)
        if tag is None:
            raise KeyError(text.keyword)
        draft.add(tag, _encoded(tag, text.text, None))
    return draft.finished()


def _encoded(tag: int, text: str, like: Written | None) -> bytes:
    if tag == USER_COMMENT:
        return write_comment(text, like)
    if tag > USER_COMMENT:
        return text.encode("utf-16-le") + b"\0\0"
    for encoding in (like.encoding, "utf-8") if like else ("utf-8",):
        try:
            raw = text.encode(encoding) + b"\0"
        except UnicodeEncodeError:
            continue
        if read_entry(tag, raw).text == text:
            return raw
    return text.encode() + b"\0"
