"""Picture files: their texts, read and replaced without touching the image.

::

    containers      which container a file has, by its first bytes
    opening         open_picture: container → pieces (`opened`) and texts (`picture`)
    png jpeg webp avif gif      one reader for each, bounded by `limits`; `*_writing` writes
    exif user_comment xmp       what several containers hold
    replacing       with_texts: which texts stay, change, come and go; then the container's writer
    stealth         texts in the lowest bits of pixels; the only module that decodes an image
"""

from __future__ import annotations

from kanna.pictures.containers import PICTURE_SUFFIXES, is_picture
from kanna.pictures.opening import open_picture
from kanna.pictures.picture import Picture, PictureText
from kanna.pictures.xmp import xmp_value

__all__ = [
    "PICTURE_SUFFIXES",
    "Picture",
    "PictureText",
    "is_picture",
    "open_picture",
    "xmp_value",
]
