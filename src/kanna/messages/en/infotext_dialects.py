"""What the dialects of generation data say of a picture's texts."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "no_json": (
        "The text is not valid JSON: {reason}.",
        "It cannot be edited as generation data; look at it with kanna infotext show.",
    ),
    "too_deep": (
        "The JSON is nested more than {limit} levels deep.",
        "No program writes such a text; it is left alone.",
    ),
    "too_long": (
        "The text is longer than {limit} characters, or has millions of values.",
        "No program writes such a text; it is left alone.",
    ),
    "no_such_place": (
        "There is no “{name}” in the JSON.",
        "Name something that kanna infotext show lists.",
    ),
    "no_place": (
        "The generation data ({program}) have no single place for “{name}”.",
        "Name something that kanna infotext show lists.",
    ),
    "not_removable": (
        "“{name}” cannot be taken out: the data would make no sense without it.",
        "Set it to another value, or strip the picture with kanna infotext strip.",
    ),
    "wrong_type": (
        "“{value}” is not a value that “{name}” can have.",
        "Give one of the same kind as the present one: a number, true or false, or JSON.",
    ),
    "one_line": (
        "“{value}” has line breaks, and there is room for one line only.",
        "Write it in one line.",
    ),
    "unreadable": "The text under {name} is damaged or of an unknown form; nothing was read from it.",
}
