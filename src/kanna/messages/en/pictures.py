"""About picture files and their texts."""

from __future__ import annotations

from typing import Final

_AGAIN: Final = "Download or copy it again."
_HOSTILE: Final = "No program that makes pictures writes that; do not trust the file."

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "no_picture": (
        "{path} is no picture that kanna reads.",
        "Give a PNG, JPEG, WebP, AVIF or GIF file.",
    ),
    "ends_before_image": (
        "{path} breaks off at byte {offset:,}, before its image.",
        _AGAIN,
    ),
    "no_size": (
        "{path} begins with {kind} in the place of the size of the image.",
        _AGAIN,
    ),
    "no_marker": ("{path} has rubbish at byte {offset:,}, before its image.", _AGAIN),
    "piece_too_long": (
        "{path}: {kind} at byte {offset:,} says that {length:,} bytes follow, and there are not so many.",
        _AGAIN,
    ),
    "too_many_pieces": ("{path} has more than {limit:,} chunks or blocks.", _HOSTILE),
    "text_too_long": (
        "{path}: the text {name} is longer than {limit} MiB.",
        _HOSTILE,
    ),
    "texts_too_long": ("{path}: its texts together are longer than {limit} MiB.", _HOSTILE),
    "too_many_texts": ("{path} has more than {limit:,} texts.", _HOSTILE),
    "exif_loop": ("{path}: its EXIF leads in a circle, at byte {offset:,}.", _HOSTILE),
    "exif_outside": (
        "{path}: its EXIF says that {tag} lies outside of it.",
        "The file is damaged or made to do harm; remove its EXIF with another program, or get it again.",
    ),
    "exif_too_many": (
        "{path}: a directory of its EXIF claims {count:,} entries.",
        "The file is damaged or made to do harm; remove its EXIF with another program, or get it again.",
    ),
    "meta_broken": (
        "{path}: the table of what it consists of is damaged.",
        _AGAIN,
    ),
    "tail_damaged": "{path} is damaged behind its image, at byte {offset:,}; what stands there is not read.",
    "wrong_checksum": "{path}: the checksum of the text in {kind} at byte {offset:,} is wrong.",
    "broken_text": "{path}: the text in {kind} at byte {offset:,} is damaged and cannot be read.",
    "no_exif": "{path}: what {kind} at byte {offset:,} holds is no EXIF.",
    "broken_stealth": "{path}: the text hidden in its pixels is damaged and cannot be read.",
    "broken_image": "{path}: its image cannot be decoded, so no text hidden in its pixels is found.",
    "too_large": "{path} has more than {limit} million pixels; no text is looked for in them.",
}
