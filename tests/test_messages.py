"""Every sentence exists in both languages, with what fills it, and is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from string import Formatter
from typing import NamedTuple

import pytest

from kanna import errors
from kanna.messages import LANGUAGES, say, set_language, shown, size_text
from source_tree import SOURCE, nodes

Template = str | tuple[str, str]
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type)}
MAKERS = {*ERRORS, "say", "say_hint", "Note"}
ROOMS = sorted(path.stem for path in (SOURCE / "messages" / "en").glob("[a-z]*.py"))


def texts(language: str) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for room in ROOMS:
        templates = import_module(f"kanna.messages.{language}.{room}").TEXTS
        found |= {f"{room}.{name}": template for name, template in templates.items()}
    return found


def placeholders(template: Template) -> set[str]:
    text = template if isinstance(template, str) else " ".join(template)
    return {field for _, field, _, _ in Formatter().parse(text) if field}


ENGLISH, JAPANESE = texts("en"), texts("ja")


def callee(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


class Use(NamedTuple):
    """A call that makes an error, a note or a sentence from a key that is written there."""

    where: str
    maker: str
    key: str
    given: set[object]  # names of the values; None among them stands for "and others"


def given_values(call: ast.Call, maker: str) -> set[object]:
    if maker != "Note":
        return {"path", *(keyword.arg for keyword in call.keywords)}
    values = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
    names = values.keys if isinstance(values, ast.Dict) else [None]
    return {name.value if isinstance(name, ast.Constant) else None for name in names}


def uses() -> Iterator[Use]:
    for where, node in nodes():
        if not isinstance(node, ast.Call) or not node.args:
            continue
        key, maker = node.args[0], callee(node)
        if maker in MAKERS and isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield Use(where, maker, key.value, given_values(node, maker))


def test_both_languages_have_the_same_rooms() -> None:
    japanese = sorted(path.stem for path in (SOURCE / "messages" / "ja").glob("[a-z]*.py"))
    assert japanese == ROOMS


def test_both_languages_have_the_same_keys() -> None:
    assert ENGLISH.keys() == JAPANESE.keys()


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_say_the_same_kind_of_thing(key: str) -> None:
    assert type(ENGLISH[key]) is type(JAPANESE[key])
    assert placeholders(ENGLISH[key]) == placeholders(JAPANESE[key])
    if isinstance(ENGLISH[key], tuple):
        assert len(ENGLISH[key]) == len(JAPANESE[key]) == 2


def test_every_key_in_the_source_exists() -> None:
    assert not [use for use in uses() if use.key not in ENGLISH]


def test_every_error_says_what_to_do() -> None:
    assert not [
        use for use in uses() if use.maker in ERRORS and isinstance(ENGLISH.get(use.key), str)
    ]


def test_every_placeholder_is_filled_where_its_key_is_used() -> None:
    assert not [
        use
        for use in uses()
        if None not in use.given and placeholders(ENGLISH.get(use.key, "")) - use.given
    ]


def test_every_key_is_used() -> None:
    literals = {
        node.value
        for _, node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    beginnings = tuple(text for text in literals if re.fullmatch(r"[a-z_]+\.([a-z0-9_]+_)?", text))
    endings = tuple(text for text in literals if re.fullmatch(r"\.[a-z]+", text))
    unused = [
        key
        for key in ENGLISH
        if key not in literals and not key.startswith(beginnings) and not key.endswith(endings)
    ]
    assert not unused


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_of_strangers_are_escaped_in_every_language(language: str) -> None:
    set_language(language)
    assert say("disk.missing", path="a\x1b[31m\u202e\n").isprintable()


def test_names_in_japanese_are_shown_as_they_are() -> None:
    assert shown("アニメ　v1.5 (改)") == "アニメ　v1.5 (改)"


def test_endless_values_are_cut() -> None:
    assert len(shown("x" * 10**6)) < 200


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 KB"),
        (999_600, "1 MB"),
        (2.13e9, "2.13 GB"),
        (5e13, "50 TB"),
    ],
)
def test_sizes_read_as_people_count_them(nbytes: float, text: str) -> None:
    assert size_text(nbytes) == text
