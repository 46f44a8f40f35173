"""Whatever the text is: nothing is lost, nothing raises but what says why, and what is set is read."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from kanna.errors import Incompatible
from kanna.infotext.a1111 import A1111Text, open_a1111_text
from kanna.infotext.a1111_pairs import count_pairs

# The pattern of AUTOMATIC1111's modules/infotext_utils.py, which takes quadratic time.
ORACLE = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')

PIECES = st.sampled_from([
    "Negative prompt:", "Negative prompt: ", "Steps: 20, ", "Steps: 7", "Sampler: Euler a", "\n",
    "\r\n", ", ", ",", ": ", ":", '"', "\\", "{", "}", "[", "]", "Seed: 1, ", "Size: 512x512",
    "Template: ", "Negative Template: ", "\nTemplate: ", 'Hashes: {"model": "0123456789"}', " ",
    'Lora hashes: "a: 0123456789ab"', "a", "猫耳、笑顔", "\u3000", "<lora:x:0.8>", "\x00", "\x1c",
    "VAE: x", "Model: y [0123456789]", 'ControlNet 0: "Model: z"', "(a: 1.2)", "-", "/", "\r",
])  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=25).map("".join))
SURE = "1girl, 猫耳\nNegative prompt: bad\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x768"
BASES = st.one_of(
    st.sampled_from([
        SURE, SURE.replace("\n", "\r\n"), SURE + ", \n\n", SURE.split("\n")[2], "1girl",
        "  1girl \n" + SURE.split("\n")[2] + "\nTemplate: {a|b}, c\nNegative Template: d\n",
        "a cat Negative prompt: a dog Steps: 3, Seed: 1, Size: 1x1", "",
        "a\nNegative prompt: \nSteps: 3, Seed: 1, Size: 1x1",
        "Negative prompt: Steps: 3, Seed: 1, Size: 1x1",
    ]),
    TEXTS,
)  # fmt: skip
KEYS = st.sampled_from(["Seed", "VAE", "Foo (bar)", "Hashes", "Template", "x", "サンプラー"])


def changed(text: A1111Text, name: str, *words: str) -> A1111Text:
    """Change the text; what it refuses is no example."""
    try:
        new: A1111Text = getattr(text, name)(*words)
    except Incompatible:
        reject()
    return new


@given(TEXTS)
def test_any_text_is_read_and_comes_back(text: str) -> None:
    opened = open_a1111_text(text)
    assert opened.texts()[0].text == text
    info = opened.info
    for one in info.models:
        assert one.name or one.digest


@given(TEXTS)
def test_every_pair_stands_in_the_text(text: str) -> None:
    for parameter in open_a1111_text(text).info.parameters:
        assert parameter.key in text


@given(st.one_of(st.text(alphabet='ab1 :,"\\-/(é\t\n_'), st.lists(PIECES).map("".join)))
def test_pairs_are_counted_as_a1111_counts_them(text: str) -> None:
    line = text.replace("\n", " ")
    assert count_pairs(line) == min(3, len(ORACLE.findall(line)))


@given(BASES, TEXTS)
def test_a_prompt_that_is_set_is_read_again(base: str, prompt: str) -> None:
    before = open_a1111_text(base)
    after = changed(before, "with_prompt", prompt)
    again = open_a1111_text(after.text).info
    assert (again.prompt or "") == plain(prompt)
    assert again.negative == before.info.negative
    assert again.parameters == before.info.parameters


@given(BASES, TEXTS)
def test_a_negative_prompt_that_is_set_is_read_again(base: str, negative: str) -> None:
    before = open_a1111_text(base)
    after = changed(before, "with_negative", negative)
    again = open_a1111_text(after.text).info
    assert (again.negative or "") == plain(negative)
    assert again.prompt == before.info.prompt
    assert again.parameters == before.info.parameters


@given(BASES, KEYS, TEXTS)
def test_a_parameter_that_is_set_is_read_again(base: str, key: str, value: str) -> None:
    before = open_a1111_text(base)
    after = changed(before, "with_parameter", key, value)
    again = open_a1111_text(after.text).info
    values = {one.value for one in again.parameters if one.key == key}
    assert values in ({value}, {plain(value)})  # a template has no white space around it
    others = [one for one in again.parameters if one.key != key]
    assert others == [one for one in before.info.parameters if one.key != key]
    assert (again.prompt, again.negative) == (before.info.prompt, before.info.negative)


def as_a1111_writes(value: str) -> str:
    if any(mark in value for mark in ",:\n"):
        return json.dumps(value, ensure_ascii=False)
    return value


def as_a1111_reads(value: str) -> str:
    return json.loads(value) if value[:1] == '"' == value[-1:] else value


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z /\-]{0,10}[A-Za-z]", fullmatch=True),
        st.text(min_size=1).filter(lambda text: text == text.strip() and text[0] not in '"[{'),
        min_size=3,
    )
)
def test_what_a1111_writes_is_read_as_a1111_reads_it(pairs: dict[str, str]) -> None:
    line = ", ".join(f"{key}: {as_a1111_writes(value)}" for key, value in pairs.items())
    assume(not line.startswith("Steps"))
    oracle = {key: as_a1111_reads(value) for key, value in ORACLE.findall(line)}
    assert oracle == pairs
    info = open_a1111_text(f"a prompt\nNegative prompt: b\n{line}").info
    assert {one.key: one.value for one in info.parameters} == oracle
    assert (info.prompt, info.negative) == ("a prompt", "b")


@given(st.text())
def test_parameters_can_hold_any_text(value: str) -> None:
    info = open_a1111_text(SURE).with_parameter("Hires prompt", value).info
    assert info.parameters[-1].value == value


@given(BASES, KEYS)
def test_a_parameter_that_is_taken_away_is_gone(base: str, key: str) -> None:
    before = open_a1111_text(base)
    after = changed(before, "without_parameter", key)
    rest = tuple(one for one in before.info.parameters if one.key != key)
    assert open_a1111_text(after.text).info.parameters == rest


@given(BASES)
def test_setting_what_is_there_changes_nothing_that_is_said(base: str) -> None:
    before = open_a1111_text(base)
    after = changed(before, "with_prompt", before.info.prompt or "")
    after = changed(after, "with_negative", before.info.negative or "")
    assert after.info.parameters == before.info.parameters


def plain(text: str) -> str:
    return "\n".join(line.rstrip("\r") for line in text.split("\n")).strip()


@pytest.mark.parametrize(
    "piece", ["a", "a ", "\n", " ", '"', "a: [", 'x: {"a":', "a, ", "(a:", "\\"]
)
def test_long_texts_take_no_longer_than_they_are_long(piece: str) -> None:
    text = piece * 100_000
    assert open_a1111_text(f"{text}\n{SURE}").info.steps == 20
    assert open_a1111_text(f"{SURE}, X: {text}").info.seed == 1
