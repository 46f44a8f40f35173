"""PNG with other texts: chunks that change are replaced, all others stay byte for byte.

New texts stand before the image, as Pillow and with it A1111 and ComfyUI write them: as tEXt where
Latin-1 has all their letters, else as iTXt.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from kanna.disk import InputFile
from kanna.errors import Incompatible
from kanna.pictures.changes import Changes, Patch
from kanna.pictures.exif_writing import edited_blocks, new_block
from kanna.pictures.opened import Held, Opened
from kanna.pictures.picture import PictureText
from kanna.pictures.png import END, SIGNATURE, XMP, International, decoded

PLACES: Final = frozenset({"tEXt", "zTXt", "iTXt", "exif", "xmp"})
_IMAGE: Final = frozenset({"IHDR", "PLTE", "tRNS", "IDAT", "acTL", "fcTL", "fdAT"})
_PLAIN: Final = International(compressed=False, language=b"", translated=b"")
_PACKED: Final = _PLAIN._replace(compressed=True)
_ABOUT: Final = frozenset({"tIME", "caBX"})  # when it was changed; C2PA: who and what made it
_BAND: Final = 1 << 16


def patches(file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
    """Return what has to be patched in a PNG.

    Raises:
        Incompatible: a keyword is none that PNG can have.
    """
    for number, text in changes.changed.items():
        held = opened.held[number]
        if held.text.place != "exif":
            new = b"" if text is None else text_chunk(file, text, held)
            yield Patch(held.piece.start, held.piece.end, new)
    for block, exif in edited_blocks(opened, changes):
        new = b"" if exif is None else chunk("eXIf", block.prefix + exif)
        yield Patch(block.piece.start, block.piece.end, new)
    if changes.bare:
        yield from (Patch(one.start, one.end, b"") for one in opened.finds.broken)
    if changes.stripped:
        about = (one for one in opened.pieces if one.kind in _ABOUT)
        yield from (Patch(one.start, one.end, b"") for one in about)
    front = next(one.start for one in opened.pieces if one.kind == "IDAT")
    added = [text_chunk(file, text) for text in changes.added if text.place != "exif"]
    if exif := new_block(opened, changes):
        added.append(chunk("eXIf", exif))
    yield Patch(front, front, b"".join(added))


def image_runs(file: InputFile, opened: Opened) -> Iterator[tuple[int, int]]:
    """Return start and end of everything in a PNG that makes its pixels."""
    del file
    return ((one.start + 4, one.end - 4) for one in opened.pieces if one.kind in _IMAGE)


def chunk(kind: str, body: bytes) -> bytes:
    """Return a chunk."""
    name = kind.encode()
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def text_chunk(file: InputFile, text: PictureText, held: Held | None = None) -> bytes:
    """Return the chunk for a text, which keeps what the chunk in its place said beside its text.

    Raises:
        Incompatible: its keyword is none that PNG can have.
    """
    name = (XMP if text.place == "xmp" else text.keyword).encode("latin-1", "ignore")
    if not 1 <= len(name) <= 79 or b"\0" in name:
        raise Incompatible("pictures.bad_keyword", path=file.path, keyword=text.keyword)
    if text.place in {"tEXt", "zTXt"} and (raw := _latin(text.text)) is not None:
        packed = b"\0" + zlib.compress(raw) if text.place == "zTXt" else raw
        return chunk(text.place, name + b"\0" + packed)
    said = _PACKED if text.place == "zTXt" else _PLAIN
    if held is not None and isinstance(held.how, International):
        said = held.how
    raw = text.text.encode()
    head = bytes([said.compressed, 0]) + said.language + b"\0" + said.translated + b"\0"
    body = head + (zlib.compress(raw) if said.compressed else raw)
    return chunk("iTXt", name + b"\0" + body)


def blank_png(size: tuple[int, int]) -> bytes:
    """Return a black PNG of `size` pixels without texts."""
    width, height = size
    machine, row = zlib.compressobj(), bytes(1 + 3 * width)
    rows = max(1, _BAND // len(row))
    bands = (row * min(rows, height - at) for at in range(0, height, rows))
    packed = b"".join([*map(machine.compress, bands), machine.flush()])
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk("IHDR", head) + chunk("IDAT", packed) + END


def _latin(text: str) -> bytes | None:
    """Return a text in Latin-1, or None where it would be read back as another text."""
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        return None
    return raw if decoded(raw)[0] == text else None
