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
    "undecodable": (
        "{path}: its image cannot be decoded, or has more than {limit} million pixels.",
        "Save it anew with another program.",
    ),
    "no_such_place": (
        "{path} is a {container} file, which has no place called {place} for texts.",
        "Use exif (UserComment) for JPEG, WebP and AVIF, comment for GIF, tEXt or iTXt for PNG.",
    ),
    "bad_keyword": (
        "{path} cannot hold a text under the keyword {keyword}.",
        "PNG takes 1 to 79 letters of Latin-1, EXIF the names of its tags, such as UserComment.",
    ),
    "cannot_hold": (
        "{path}: a {container} file cannot hold these texts so that they read the same again.",
        "Remove letters that are not valid Unicode and zeros at the end, and give each EXIF tag once.",
    ),
    "too_long_for_jpeg": (
        "{path}: the text takes {size:,} bytes, and JPEG holds at most 65,533 in one place.",
        "Shorten it, or use PNG, WebP or AVIF.",
    ),
    "long_xmp": (
        "{path} has XMP in several parts, which kanna can remove but not change.",
        "Remove that text, or change it with another program.",
    ),
    "moving_avif": (
        "{path} is a moving AVIF, whose texts kanna reads but does not change.",
        "Change a still picture of it, or save it as WebP.",
    ),
}
