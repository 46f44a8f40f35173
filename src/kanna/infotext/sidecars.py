"""Texts without a picture: what a .txt or .json file says, put where a PNG would have it."""

from __future__ import annotations

from typing import Any, Final

from kanna.errors import FormatError
from kanna.infotext.detecting import open_with_table
from kanna.infotext.editable import Editable
from kanna.infotext.json_text import JsonText
from kanna.pictures.picture import PictureText

# Keys that tell which keyword a PNG would have such an object under, the most telling first.
_TOLD_BY: Final = (
    ("sui_image_params", "parameters"),
    ("model_weights", "sd-metadata"),
    ("app_version", "invokeai_metadata"),
    ("uc", "Comment"),
    ("base_model", "parameters"),
    ("nodes", "workflow"),
)


def open_sidecar(text: str) -> Editable | None:
    """Return how a picture was made, from a text beside it; None where it is empty."""
    if not text.strip("\ufeff \t\r\n\0"):
        return None
    document = _json(text)
    keyword = "parameters" if document is None else _keyword(document)
    return open_with_table((PictureText(place="iTXt", keyword=keyword, text=text),))


def _json(text: str) -> Any:
    try:
        return JsonText.parse(text).value
    except FormatError:
        return None


def _keyword(document: object) -> str:
    """Return the keyword under which programs would write such a document."""
    if isinstance(document, dict):
        for key, keyword in _TOLD_BY:
            if key in document:
                return keyword
    return "prompt"
