"""Stealth PNG info: text in the lowest bits of the pixels, which NovelAI and others write.

Pixels are read column by column. The bits of alpha, or of red, green and blue in turn, begin with
15 letters that name the form, then the length in bits (32 bits, large byte first), then the text,
plain or packed by gzip.
Source: ashen-sensored/sd_webui_stealth_pnginfo, scripts/stealth_pnginfo.py.

Images are decoded here and nowhere else, with Pillow, of which nothing but the decoder of the
container at hand is used; of a PNG it sees the image only.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.model import Note
from kanna.pictures.limits import Allowance
from kanna.pictures.opened import Opened
from kanna.pictures.picture import PictureText, Place
from kanna.pictures.png import END, SIGNATURE

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS: Final = 100_000_000
_SIGNATURE_BITS: Final = 120
_HEAD_BITS: Final = _SIGNATURE_BITS + 32
_GZIP: Final = 31  # how zlib is told of gzip's form
_STEP: Final = 1 << 20  # bits at once
_LOWEST: Final = bytes(ord("0") + (value & 1) for value in range(256))
# The channels that can hold text, where it then is, and its signatures: whether it is packed.
_FORMS: Final[tuple[tuple[str, Place, dict[bytes, bool]], ...]] = (
    ("A", "stealth_alpha", {b"stealth_pnginfo": False, b"stealth_pngcomp": True}),
    ("RGB", "stealth_rgb", {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}),
)


class Hidden(NamedTuple):
    """What stands in the bits of some channels: from the signature on, `bits` of them."""

    channels: str
    place: Place
    packed: bool
    bits: int
    raw: bytes


def hidden_texts(
    file: InputFile, opened: Opened
) -> tuple[tuple[PictureText, ...], tuple[Note, ...]]:
    """Return the texts that are hidden in the pixels of a picture, and remarks on them.

    Raises:
        FormatError: such a text is longer than one may be.
    """
    said = {"path": file.path}
    image = pixels(file, opened)
    if image is None:
        return (), ()
    if isinstance(image, Note):
        return (), (image,)
    texts, notes, allowance = list[PictureText](), list[Note](), Allowance(file.path)
    for channels, place, signatures in _FORMS:
        try:
            hidden = find_hidden(image, channels, place, signatures)
            if hidden:
                texts.append(PictureText(place=place, keyword="", text=_text(hidden, allowance)))
        except (ValueError, zlib.error):
            notes.append(Note("pictures.broken_stealth", said))
    return tuple(texts), tuple(notes)


def covered(image: Image) -> dict[str, int]:
    """Return the channels (``A``, ``RGB``) that hide something, and how many bits of each."""
    found = {}
    for channels, place, signatures in _FORMS:
        try:
            hidden = find_hidden(image, channels, place, signatures)
        except ValueError:  # its length is a lie; all of it may belong to it
            found[channels] = image.width * image.height * len(channels)
        else:
            found |= {channels: hidden.bits} if hidden else {}
    return found


def pixels(file: InputFile, opened: Opened) -> Image | Note | None:
    """Return the decoded image of a lossless picture, None of others.

    A remark stands for an image that is too large, or that cannot be decoded.
    """
    if not _can_hide(file, opened):
        return None
    if (opened.width or 0) * (opened.height or 0) > MOST_PIXELS:
        return Note("pictures.too_large", {"path": file.path, "limit": MOST_PIXELS // 1_000_000})
    try:
        return _decoded(file, opened)
    except (OSError, SyntaxError, ValueError, ArithmeticError, EOFError, FormatError):
        return Note("pictures.broken_image", {"path": file.path})


def _can_hide(file: InputFile, opened: Opened) -> bool:
    if opened.container == "png":  # 8 bits of red, green, blue, with alpha or without
        return file.read(opened.pieces[0].body + 8, 2) in {b"\x08\x02", b"\x08\x06"}
    return opened.container == "webp" and any(one.kind == "VP8L" for one in opened.pieces)


def _decoded(file: InputFile, opened: Opened) -> Image:
    if opened.container == "webp":
        from PIL.WebPImagePlugin import WebPImageFile

        image: Image = WebPImageFile(io.BytesIO(file.read(0, file.size)))
    else:
        from PIL.PngImagePlugin import PngImageFile

        kept = [one for one in opened.pieces if one.kind in {"IHDR", "IDAT"}]
        chunks = [file.read(one.start, one.end - one.start) for one in kept]
        image = PngImageFile(io.BytesIO(SIGNATURE + b"".join([*chunks, END])))
    image.load()
    return image


def find_hidden(
    image: Image, channels: str, place: Place, signatures: dict[bytes, bool]
) -> Hidden | None:
    """Return what is hidden in the channels of an image, None where there is no signature.

    Raises:
        ValueError: its length is no length.
    """
    if not set(channels) <= set(image.getbands()):
        return None
    room = image.width * image.height * len(channels)
    if room < _HEAD_BITS:
        return None
    head = _bits(image, channels, 0, _HEAD_BITS)
    signature, length = head[: _SIGNATURE_BITS // 8], int.from_bytes(head[-4:], "big")
    if signature not in signatures:
        return None
    if length % 8 or length > room - _HEAD_BITS:
        raise ValueError
    parts = [
        _bits(image, channels, at, min(_STEP, _HEAD_BITS + length - at))
        for at in range(_HEAD_BITS, _HEAD_BITS + length, _STEP)
    ]
    return Hidden(channels, place, signatures[signature], _HEAD_BITS + length, b"".join(parts))


def _bits(image: Image, channels: str, at: int, count: int) -> bytes:
    """Return `count` of the lowest bits of the channels from bit `at` on, as bytes."""
    from PIL.Image import Transpose

    column = image.height * len(channels)
    first, last = at // column, -(-(at + count) // column)
    some = image.crop((first, 0, last, image.height))
    some = some.getchannel("A") if channels == "A" else some.convert("RGB")
    digits = some.transpose(Transpose.TRANSPOSE).tobytes().translate(_LOWEST)
    begin = at - first * column
    return int(digits[begin : begin + count], 2).to_bytes(count // 8, "big")


def _text(hidden: Hidden, allowance: Allowance) -> str:
    name = hidden.place
    if hidden.packed:
        return allowance.inflate(name, hidden.raw, _GZIP).decode()
    allowance.take(name, len(hidden.raw))
    return hidden.raw.decode()
