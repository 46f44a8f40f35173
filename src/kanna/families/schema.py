"""What a table may say: every field and what it holds.

Our own tables are held to it by a test, a user's when it is read, so that a slip in it is told with
the file's name instead of coming up in the middle of something else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from kanna.families.keys import expand, expand_lines, parse_line
from kanna.families.name_rows import check_names, make_row
from kanna.families.pages import DISTILLED
from kanna.families.places import UIS
from kanna.families.rows import Choice, Family, make_component, make_family
from kanna.messages import LANGUAGES, template

Rule: TypeAlias = Callable[[Any], bool]
Fields: TypeAlias = Mapping[str, Rule]


def check_fields(table: dict[str, Any]) -> None:
    """Check the fields of one table by itself.

    Raises:
        ValueError: a field is unknown, or does not hold what it must, or its lines do not expand.
        KeyError: a field is missing.
    """
    special = {"row": _NAMES, "part": _PLACES, "arrangement": _JOINED, "config": _CONFIGS}
    next((rule for field, rule in special.items() if field in table), _FAMILY)(table)


def check_rows(table: dict[str, Any], document: dict[str, Any], names: dict[str, Any]) -> None:
    """Check that everything in `table` can be made, now that all tables are there.

    `names` holds those of `families/names`, `document` the others.

    Raises:
        ValueError: a word is none that the tables know, or two lists do not match.
        KeyError: something is missing, or referred to and not there.
        TypeError: a row has fields that do not go together.
    """
    name, everywhere = table["name"], document["everywhere"]
    if "row" in table:
        check_names(names[name], names)
        return
    if not {"part", "arrangement", "config"}.isdisjoint(table):
        return
    made = make_family(name, document["families"][name])
    rows: list[Family | Choice] = [made, *made.variants]
    for raw in table.get("component", ()):
        _known(raw["role"], everywhere["order"])
        rows += make_component({**raw, "family": name}, document).variant_choices
    for task in (task for row in rows for task in row.tasks):
        _known(task, everywhere["tasks"])


def _known(word: str, words: Collection[str]) -> None:
    if word not in words:
        raise ValueError(f"{word} = ?")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_texts(pair) and len(pair) == 2 for pair in value)


def _words(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_text, value.values()))


def _lists(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_texts, value.values()))


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _lines(value: Any) -> bool:
    """Lines that recognise: a pattern with or without a shape."""
    return _texts(value) and all(expand(parse_line(line)[0]) for line in value)


def _keys(value: Any) -> bool:
    """Key lists by name."""
    return _words(value) and all(
        list(expand_lines(filter(None, lines.split("\n")))) for lines in value.values()
    )


def _spoken(value: Any) -> bool:
    """A text in every language."""
    return _words(value) and set(value) == set(LANGUAGES)


def _prefix(value: Any) -> bool:
    """A prefix, with ``{name}`` for what the part is called."""
    return _text(value) and {"{", "}"}.isdisjoint(value.replace("{name}", ""))


def _programs(value: Any) -> bool:
    return _texts(value) and set(value) <= UIS.keys()


def _called(name: str) -> Rule:
    """Return the rule of a table that is found by its name alone."""
    return lambda value: bool(value == name)


def _distilled(value: Any) -> bool:
    return value in DISTILLED


def _half(value: Any) -> bool:
    return value in {"fp16", "bf16"}


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_number, value))


def _reason(value: Any) -> bool:
    """The end of a message key."""
    return _text(value) and bool(template(f"identity.prediction_{value}"))


def _table(needed: str, fields: Fields) -> Rule:
    """Return the rule of a table that has the `needed` fields and no others than `fields`."""

    def holds(table: Any) -> bool:
        for field in needed.split():
            table[field]
        for field, value in table.items():
            if field not in fields or not fields[field](value):
                raise ValueError(f"{field} = {str(value)[:80]}")
        return True

    return holds


def _rows(needed: str, fields: Fields) -> Rule:
    """Return the rule of a list of such tables."""
    row = _table(needed, fields)
    return lambda value: isinstance(value, list) and all(map(row, value))


_CHOICE: Final[Fields] = {
    "name": _text, "candidates": _texts, "all": _lines, "any": _lines, "none": _lines,
    "layout": _text, "needs": _texts, "tasks": _texts, "prediction": _text, "shared_with": _text,
    "certainty": _text, "why": _reason,
}  # fmt: skip
_COMPONENT: Final[Fields] = {
    "id": _text, "role": _text, "architecture": _text, "architectures": _texts, "variants": _texts,
    "layout": _text, "stem": _text, "prediction": _text, "needs": _texts, "all": _lines,
    "any": _lines, "none": _lines, "tails": _lines, "widths": _words, "encoders": _words,
    "aliases": _pairs, "keys": _texts, "optional": _texts, "holds": _texts,
    "words": _text, "architectures_by": _text, "architecture_rows": _rows("", _CHOICE),
    "variant": _rows("", _CHOICE),
}  # fmt: skip
_CHOICES: Final[Fields] = {"name": _text, "row": _rows("", _CHOICE)}
_BASES: Final[Fields] = {
    "architecture": _text, "variants": _texts, "lines": lambda value: _keys({"": value}),
}  # fmt: skip
_REACHES: Final[Fields] = {"starts": _texts, "reach": _text, "dialect": _text}
_ENCODERS: Final[Fields] = {"encoders": _texts, "candidates": _texts}
_SIDE: Final = _table("prediction variants", {"prediction": _text, "variants": _texts})
_PEEK: Final[Fields] = {"any": _texts, "deviation": _number, "above": _SIDE, "below": _SIDE}
_METADATA: Final[Fields] = {
    "key": _text, "contains": _text, "variants": _texts, "prediction": _text,
}  # fmt: skip
_EVERY: Final[Fields] = {"name": _text, "title": _text, "sources": _texts}
_NUMBERED: Final = _table("rows architectures known", {
    "rows": _texts, "architectures": _texts,
    "known": lambda value: isinstance(value, dict) and all(map(_number, value.values())),
})  # fmt: skip
_NAMES: Final = _table("name role row", {
    **_EVERY, **dict.fromkeys(("role", "like", "structure", "standard"), _text),
    **dict.fromkeys(("architectures", "variants", "components", "old"), _texts),
    "reads_also": _lists, "row": lambda rows: isinstance(rows, list) and all(map(make_row, rows)),
})  # fmt: skip
_FACTS: Final[Fields] = {
    "parameters": _number, "released": _text, "repository": _text, "licence": _text,
    "licence_read": _flag, "distilled": _distilled, "steps": _numbers, "guidance": _numbers,
    "flow_shift": _number, "resolution": _number, "note": _spoken,
}  # fmt: skip
_ABOUT: Final = _table("summary maker", {
    **_FACTS, "summary": _spoken, "maker": _text, "aliases": _texts, "latent_channels": _number,
    "vae_scale": _number, "vae_shift": _number, "spatial_factor": _number,
    "variant": _rows("name", {"name": _text, **_FACTS}),
})  # fmt: skip
_FOLDER: Final[Fields] = {"kind": _text, "aliases": _texts, **dict.fromkeys(UIS, _text)}
_SEAT: Final[Fields] = {"word": _text, "prefix": _text, "layouts": _texts}
_PROGRAM: Final[Fields] = {"layouts": _lists, "inside": _texts}
_JOINED: Final = _table("name arrangement", {
    "name": _called("joined"), "encoders": _words, "files": _words,
    **dict.fromkeys(("sources", "markers"), _texts),
    "same_vae": lambda value: isinstance(value, list) and all(map(_texts, value)),
    "program": _table("", dict.fromkeys(UIS, _table("", _PROGRAM))),
    "arrangement": _rows("architectures programs seat", {
        "architectures": _texts, "programs": _programs, "diffusion_file": _text,
        "encoders": _prefix, "tokenizer": _prefix, "names": _words,
        "seat": _rows("word prefix", _SEAT),
    }),
})  # fmt: skip
_PLACES: Final = _table("name part folder", {
    **_EVERY, "name": _called("places"),
    "part": _rows("word title role files", {
        "word": _text, "architecture": _text, "title": _text, "role": _text, "files": _texts,
        "repository": _text, "parameters": _number, "aliases": _texts, "note": _spoken,
    }),
    "folder": _rows("kind", _FOLDER),
})  # fmt: skip
_CONFIGS: Final = _table("name config", {
    **_EVERY, "name": _called("configs"),
    "config": _rows("file architecture prediction values", {
        "file": _text, "architecture": _text, "prediction": _text, "variants": _texts,
        "guessed": _flag, "like": _text, "values": lambda value: isinstance(value, dict),
    }),
    "marker": _rows("name architectures", {
        "name": _text, "prediction": _text, "zero_snr": _flag, "architectures": _texts,
    }),
})  # fmt: skip
_NAMED: Final = _table("words ends", {"words": _texts, "ends": _texts})
_QUANTIZE: Final = _table("keep", {"keep": _texts, "sources": _texts})
_FAMILY: Final = _table("name", {
    **_EVERY, "mixed": _flag, "vae": _text, "vae_prefix": _text, "tasks": _texts,
    "resolution": _number, "half": _half,
    **dict.fromkeys(("vae_overflows", "whole", "position_ids", "told_by_name"), _flag),
    "needs": _texts, "keys": _keys, "variant": _rows("", _CHOICE),
    "prediction": _rows("", _CHOICE), "component": _rows("id role", _COMPONENT),
    "choices": _rows("name row", _CHOICES), "bases": _rows("architecture lines", _BASES),
    "endings": _lists, "inner": _words, "reaches": _rows("starts", _REACHES), "yields": _pairs,
    "distilled": _lists, "numbers": _NUMBERED, "named": _NAMED,
    "encoder_bases": _rows("encoders candidates", _ENCODERS),
    "metadata": _rows("key contains", _METADATA),
    "peek": _rows("any deviation above below", _PEEK), "about": _ABOUT, "quantize": _QUANTIZE,
})  # fmt: skip
