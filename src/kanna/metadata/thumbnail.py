"""Pictures small enough for a header: ModelSpec's ``thumbnail``, a data URL of at most 256 × 256.

Only pixels go in and out: EXIF, comments and whatever else a picture file carries stay behind.
Source: Stability-AI/ModelSpec, ``thumbnail``.
"""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kanna.disk import InputFile
from kanna.errors import FormatError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE: Final = 256
_LARGEST: Final = 1 << 20  # bytes of a thumbnail; one that is made here has some 20 KB
_LARGEST_SOURCE: Final = 64 << 20
_URL: Final = re.compile(r"data:image/(png|jpeg|jpg|webp|gif);base64,([A-Za-z0-9+/]+={0,2})")
# What the first bytes of a picture are; Pillow is not asked about others.
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_SUFFIXES: Final = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def check_data_url(text: str) -> bytes:
    """Return the picture file in a data URL.

    Raises:
        ValueError: it is none of a picture of pixels, or larger than a header should carry.
    """
    found = _URL.fullmatch("".join(text.split())) if len(text) < 2 * _LARGEST else None
    if found is None:
        raise ValueError("no data URL of a picture")
    try:
        data = base64.b64decode(found[2], validate=False)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if not 0 < len(data) <= _LARGEST:
        raise ValueError("too large")
    return data


def make_thumbnail(path: Path) -> str:
    """Return the picture at `path` as a data URL: scaled down, upright, with nothing but pixels.

    JPEG, or WebP where the picture can be seen through.

    Raises:
        Incomplete: it is not there or cannot be read.
        FormatError: it is no picture.
    """
    file = InputFile(path)
    try:
        if file.size > _LARGEST_SOURCE:
            raise FormatError("meta.no_picture", path=path)
        data = file.read(0, file.size)
    finally:
        file.close()
    image = _opened(data, path)
    image.thumbnail((SIDE, SIDE))
    seen_through = "A" in image.getbands() or "transparency" in image.info
    word, mode = ("WEBP", "RGBA") if seen_through else ("JPEG", "RGB")
    raw = _saved(image.convert(mode), word)
    return f"data:image/{word.lower()};base64,{base64.b64encode(raw).decode()}"


def extract_thumbnail(url: str, suffix: str, path: Path) -> bytes:
    """Return the picture of a data URL as a picture file of this `suffix`; `path` names the model.

    Raises:
        FormatError: what the file holds is no picture.
        UsageError: no picture has such a suffix.
    """
    word = _SUFFIXES.get(suffix.lower())
    if word is None:
        raise UsageError("meta.picture_suffix", suffix=suffix, suffixes=", ".join(_SUFFIXES))
    try:
        data = check_data_url(url)
    except ValueError as error:
        raise FormatError("meta.bad_thumbnail", path=path) from error
    image = _opened(data, path)
    return _saved(image.convert("RGB" if word == "JPEG" else "RGBA"), word)


def _opened(data: bytes, path: Path) -> Image:
    from PIL import Image, ImageOps, UnidentifiedImageError  # 76 ms, and few runs need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=_FORMATS)
            image.load()
        return ImageOps.exif_transpose(image)
    except (
        UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning,
        OSError, ValueError, SyntaxError, EOFError,
    ) as error:  # fmt: skip
        raise FormatError("meta.no_picture", path=path) from error


def _saved(image: Image, word: str) -> bytes:
    image.info = {}  # a writer copies comments and profiles from here
    out = BytesIO()
    image.save(out, word, quality=85) if word != "PNG" else image.save(out, word)
    return out.getvalue()
