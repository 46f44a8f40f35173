"""JSON that is edited: `json` reads the same from it as from an edited value, and no other byte moves."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import FormatError, Incompatible
from kanna.infotext.json_text import JsonText, Path

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(TEXTS, one, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5)


def written(document: object, style: int) -> str:
    """The document as one of several programs would write it."""
    return (
        json.dumps(document),
        json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        json.dumps(document, ensure_ascii=False, indent=2),
        json.dumps(document, indent="\t").replace("\n", "\r\n"),
        f"\ufeff {json.dumps(document)} \0\0",
    )[style]


def paths(value: Any, way: Path = ()) -> list[Path]:
    inner: list[Path] = [way] if way else []
    if isinstance(value, dict):
        inner += [path for key, one in value.items() for path in paths(one, (*way, key))]
    elif isinstance(value, list):
        inner += [path for number, one in enumerate(value) for path in paths(one, (*way, number))]
    return inner


def edited(document: Any, path: Path, change: Any) -> Any:
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    change(inner, path[-1])
    return copy


def loaded(text: str) -> Any:
    return json.loads(text.strip("\ufeff\0 \r\n"), strict=False)


@given(document=DOCUMENTS, style=st.integers(0, 4))
def test_what_is_read_is_what_json_reads_and_stays_as_it_is(document: Any, style: int) -> None:
    text = written(document, style)
    assert JsonText.parse(text).value == document
    assert JsonText.parse(text).text == text


@given(document=DOCUMENTS, style=st.integers(0, 4), which=st.integers(0, 10**6), value=VALUES)
def test_a_value_is_replaced_and_nothing_else(
    document: Any, style: int, which: int, value: Any
) -> None:
    text, every = written(document, style), paths(document)
    path = every[which % len(every)]
    changed = JsonText.parse(text).with_value(path, value)
    assert changed.value == loaded(changed.text) == edited(document, path, _set(value))
    back = changed.with_value(path, JsonText.parse(text).get(path))
    assert back.value == document
    assert JsonText.parse(text).with_value(path, 1).text.count("\n") <= text.count("\n")


def _set(value: Any) -> Any:
    return lambda inner, key: inner.__setitem__(key, value)


@given(document=DOCUMENTS, style=st.integers(0, 4), key=TEXTS, value=VALUES)
def test_a_new_key_comes_last_and_goes_without_a_trace(
    document: Any, style: int, key: str, value: Any
) -> None:
    document.pop(key, None)
    text = written(document, style)
    changed = JsonText.parse(text).with_value((key,), value)
    assert changed.value == loaded(changed.text) == {**document, key: value}
    assert list(changed.value) == [*document, key]
    if document:
        assert changed.without((key,)).text == text


@given(document=DOCUMENTS, style=st.integers(0, 4), which=st.integers(0, 10**6))
def test_what_is_taken_out_is_gone_and_nothing_else(document: Any, style: int, which: int) -> None:
    text, every = written(document, style), paths(document)
    path = every[which % len(every)]
    changed = JsonText.parse(text).without(path)
    expected = edited(document, path, lambda inner, key: inner.__delitem__(key))
    assert changed.value == loaded(changed.text) == expected


def test_spelling_and_order_of_all_else_is_kept() -> None:
    text = '{ "b" : 1.50e+1 ,\n"a":"\\u00e9\\/", "seed" :  12345678901234567890, "a": -0.0}  '
    edited = JsonText.parse(text).with_value(("seed",), 7)
    assert edited.text == text.replace("12345678901234567890", "7")
    assert JsonText.parse(text).without(("b",)).text == text.replace('"b" : 1.50e+1 ,\n', "")


def test_of_equal_keys_the_last_counts_and_all_go() -> None:
    text = '{"a": 1, "b": {"a": 5}, "a": {"x": 2}, "a": {"x": 3}}'
    json_text = JsonText.parse(text)
    assert json_text.value == {"a": {"x": 3}, "b": {"a": 5}}
    assert json_text.with_value(("a", "x"), 4).text == text.replace("3}", "4}")
    assert json_text.without(("a",)).text == '{"b": {"a": 5}}'


def test_what_comfyui_writes_beyond_json_is_read_and_kept() -> None:
    text = '{"is_changed": [NaN], "x": Infinity, "y": -Infinity, "t": "two\nlines"}'
    json_text = JsonText.parse(text)
    assert math.isnan(json_text.value["is_changed"][0])
    assert json_text.with_value(("t",), "one").text == text.replace("two\nlines", "one")


def test_ascii_stays_ascii_and_other_text_is_written_as_it_is() -> None:
    assert JsonText.parse('{"p": "a"}').with_value(("p",), "猫").text == '{"p": "\\u732b"}'
    assert JsonText.parse('{"p": "犬"}').with_value(("p",), "猫").text == '{"p": "猫"}'
    half = JsonText.parse('{"p": "犬"}').with_value(("p",), "\ud83d")
    assert half.text == '{"p": "\\ud83d"}'


def test_a_beginning_that_is_no_json_is_kept() -> None:
    json_text = JsonText.parse('prompt: {"a": 1}\n', 7)
    assert json_text.with_value(("a",), 2).text == 'prompt: {"a": 2}\n'


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", '{"a": 1} x', "nul", '{"a"}', "1" * 5000, '"' + "\\" * 99, "{" * 10**6],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        JsonText.parse(text)


@pytest.mark.parametrize("text", ["[" * 101 + "]" * 101, "[" * 10**5 + "]" * 10**5])
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="nested"):
        JsonText.parse(text)
    assert JsonText.parse("[" * 100 + "]" * 100).text


def test_what_has_millions_of_values_is_refused_before_it_is_read() -> None:
    with pytest.raises(FormatError, match="longer"):
        JsonText.parse("[" + "0," * 2_000_001 + "0]")


@pytest.mark.parametrize("path", [("b",), ("a", 5), ("a", "x"), ("s", 0), ("a", 0, "b")])
def test_a_place_that_is_not_there_is_told(path: Path) -> None:
    json_text = JsonText.parse('{"a": [1], "s": "text"}')
    assert json_text.get(path) is None or path == ("s", 0)
    with pytest.raises(Incompatible):
        json_text.without(path)
    if path != ("b",):
        with pytest.raises(Incompatible):
            json_text.with_value(path, 1)
