"""Picture files: their texts, read and replaced without touching the image.

::

    containers      which container a file has, by its first bytes
    opening         open_picture: container → pieces (`opened`) and texts (`picture`)
    png jpeg webp avif gif      one reader for each, bounded by `limits`; `*_writing` writes
    exif user_comment xmp       what several containers hold; `exif_draft` and `exif_writing` write
    replacing       with_texts: which texts stay, change, come and go; then the container's writer
    stealth         texts in the lowest bits of pixels, read; `revealing` takes them out
"""

from __future__ import annotations

from kanna.pictures.containers import PICTURE_SUFFIXES, is_picture
from kanna.pictures.opening import open_picture
from kanna.pictures.picture import Picture, PictureText
from kanna.pictures.replacing import image_data_digest, new_png, with_texts
from kanna.pictures.revealing import without_stealth
from kanna.pictures.xmp import xmp_value

__all__ = [
    "PICTURE_SUFFIXES",
    "Picture",
    "PictureText",
    "image_data_digest",
    "is_picture",
    "new_png",
    "open_picture",
    "with_texts",
    "without_stealth",
    "xmp_value",
]
