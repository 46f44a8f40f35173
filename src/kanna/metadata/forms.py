"""The forms that values of ModelSpec have: whether a text has one, and how it is written best.

Source: Stability-AI/ModelSpec, README.md, the columns "Description" and "Examples".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from kanna.metadata.tables import table
from kanna.metadata.thumbnail import check_data_url

_DIGITS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "blake3": 64, "crc32": 8}
_MOST_PIXELS: Final = 65_536


class Malformed(ValueError):
    """A value does not have its form; the key of the message says which form it wants."""

    def __init__(self, key: str) -> None:
        """Remember the message `key`."""
        super().__init__(key)
        self.key = key


def _version(text: str) -> str:
    if text not in table("modelspec")["versions"]:
        raise Malformed("meta.form_version")
    return text


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*", text):
        raise Malformed("meta.form_id")
    return text


def _line(text: str) -> str:
    if not text.strip() or len(text.splitlines()) > 1:
        raise Malformed("meta.form_line")
    return text.strip()


def _text(text: str) -> str:
    if not text.strip():
        raise Malformed("meta.form_text")
    return text


def _resolution(text: str) -> str:
    found = re.fullmatch(r"\s*(\d{1,5})(?:\s*[xX×]\s*(\d{1,5}))?\s*", text)
    sides = [int(side) for side in found.groups(found[1])] if found else [0]
    if not all(1 <= side <= _MOST_PIXELS for side in sides):
        raise Malformed("meta.form_resolution")
    return "x".join(map(str, sides))


def _date(text: str) -> str:
    # A year alone and a week are ISO 8601, too; programs that sort by date want a day at least.
    if not re.match(r"\s*\d{4}-?\d\d-?\d\d", text):
        raise Malformed("meta.form_date")
    try:
        datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Malformed("meta.form_date") from error
    return text.strip()


def _sha256(text: str) -> str:
    return digest(text, "sha256")


def digest(text: str, algorithm: str) -> str:
    """Return a digest as ModelSpec writes it: ``0x`` and lower-case digits.

    Raises:
        Malformed: it is none, or too long or too short for `algorithm`.
    """
    found = re.fullmatch(r"\s*(?:0[xX])?([0-9a-fA-F]+)\s*", text)
    if found is None or len(found[1]) != _DIGITS.get(algorithm, len(found[1])):
        raise Malformed("meta.form_hash")
    return "0x" + found[1].lower()


def _list(text: str) -> str:
    entries = [entry.strip() for entry in text.split(",")]
    if not all(entries):
        raise Malformed("meta.form_list")
    return ", ".join(entries)


def _word(text: str) -> str:
    if not re.fullmatch(r"\s*[A-Za-z][\w-]*\s*", text, re.ASCII):
        raise Malformed("meta.form_word")
    return text.strip()


def _range(text: str) -> str:
    found = re.fullmatch(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*", text)
    if found is None or int(found[1]) > int(found[2]):
        raise Malformed("meta.form_range")
    return f"{int(found[1])},{int(found[2])}"


def _count(text: str) -> str:
    if not re.fullmatch(r"\s*[1-9]\d{0,2}\s*", text, re.ASCII):
        raise Malformed("meta.form_count")
    return text.strip()


def _truth(text: str) -> str:
    if text.strip().lower() not in {"true", "false"}:
        raise Malformed("meta.form_truth")
    return text.strip().lower()


def _thumbnail(text: str) -> str:
    try:
        check_data_url(text)
    except ValueError as error:
        raise Malformed("meta.form_thumbnail") from error
    return text


# A form takes a text and returns it as it is written best; it raises Malformed.
FORMS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType({
    "version": _version, "id": _identifier, "line": _line, "text": _text,
    "resolution": _resolution, "date": _date, "sha256": _sha256, "list": _list, "word": _word,
    "range": _range, "count": _count, "truth": _truth, "thumbnail": _thumbnail,
})  # fmt: skip
