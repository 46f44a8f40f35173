"""Every text is found by its own words, and nothing that people type is an error."""

from __future__ import annotations

import re
import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kanna.catalog.wording import asked, query_of, words_of

INDEX = "CREATE VIRTUAL TABLE t USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2')"
# SQLite's tables of letters lack a few that Python's have.
UNKNOWN = re.compile("[\u1980-\u19df\u1cf2\u1cf3]")

JAPANESE = "美少女戦士東京タワーのひらがなカタカナ漢字々ー"
WRITTEN = st.text(
    st.one_of(
        st.sampled_from(JAPANESE),
        st.sampled_from("abcABC019_-.,:;()<>|\"'* \n"),
        st.characters(max_codepoint=0x2FFF),
    ),
    max_size=40,
)


def found(text: str, typed: str) -> bool:
    """Whether SQLite finds `text` by what was typed."""
    with sqlite3.connect(":memory:") as index:
        index.execute(INDEX)
        index.execute("INSERT INTO t (words) VALUES (?)", (words_of(text),))
        query = query_of(typed)
        assert query is not None
        return bool(index.execute("SELECT rowid FROM t WHERE t MATCH ?", (query,)).fetchall())


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("AbyssOrangeMix3_A1B.safetensors", "orangemix"),
        ("AbyssOrangeMix3_A1B.safetensors", "OrangeMix3"),
        ("AbyssOrangeMix3_A1B.safetensors", "mix3 a1b"),
        ("AbyssOrangeMix3_A1B.safetensors", "Abyss-Orange-Mix"),
        ("sd_xl_base_1.0", "sdxl"),
        ("sd_xl_base_1.0", "sd_xl_base"),
        ("v1-5-pruned-emaonly", "v1-5"),
        ("blue_eyes, 1girl", "blue eyes"),
        ("blue eyes, 1girl", "blue_eyes girl"),
        ("blue_eyes", '"blue eyes"'),
        ("(masterpiece:1.2)", "masterpiece"),
        ("(masterpiece:1.2)", "1.2"),
        ("美少女戦士", "少女"),
        ("美少女戦士", "戦"),
        ("美少女戦士", "士"),
        ("美少女 セーラー服", "セーラー 美少女"),
        ("東京2020年", "京2020"),
        ("AIモデル", "AIモデ"),
        ("ｶﾞｰﾙ", "ガール"),
        ("ＡＢＣ", "abc"),
        ("Café", "cafe"),
        ("한국어", "국어"),
        ("one two three", "one -four"),
        ("one two three", '-"three two" one'),
        ("6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa", "6ce01616"),
    ],
)
def test_found(text: str, typed: str) -> None:
    assert found(text, typed)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("美少女戦士", "女少"),
        ("美 少女", "美少"),
        ("one two three", "one four"),
        ("one two three", "one -tw"),
        ("one two three", 'one -"two three"'),
        ("two one", '"one two"'),
        ("blue eyes", '"blue eye"'),
        ("少女戦士", '"美 少女"'),
    ],
)
def test_not_found(text: str, typed: str) -> None:
    assert not found(text, typed)


@pytest.mark.parametrize("typed", ["", " ", "-", '"', '""', "***", "()", "\0", "\ud800", "、。"])
def test_nothing_is_asked(typed: str) -> None:
    assert query_of(typed) is None


def test_what_must_not_occur_alone_is_told_apart() -> None:
    assert query_of("-hat") is None
    assert asked("-hat").unwanted == '"hat"*'


@pytest.mark.parametrize(
    ("text", "typed", "is_found"),
    [
        ("cathedral", "cat", False),
        ("cathedral", "cat*", True),
        ("1girl, blue_eyes", "girl", True),
        ("1girl, blue_eyes", "blue eyes", True),
        ("1girl, blue_eyes", "blue-eyes", True),
        ("1girl, blue_eyes", "blueeyes", True),
        ("AbyssOrangeMix3", "orange", True),
        ("美少女", "少女", True),
        ("美少女", "少", True),
        ("cathedral", "-cat cathedral", True),
    ],
)
def test_whole_words(text: str, typed: str, *, is_found: bool) -> None:
    question = asked(typed, whole=True)
    query = f"({question.wanted})" + f" NOT ({question.unwanted})" * bool(question.unwanted)
    with sqlite3.connect(":memory:") as index:
        index.execute(INDEX)
        index.execute("INSERT INTO t (words) VALUES (?)", (words_of(text),))
        rows = index.execute("SELECT rowid FROM t WHERE t MATCH ?", (query,)).fetchall()
    assert bool(rows) == is_found


@given(st.text(max_size=60) | WRITTEN)
@example('a AND (NOT "b* OR NEAR(c d, 3) ^e words:f {g} -')
def test_whatever_is_typed_is_a_query(typed: str) -> None:
    if query_of(typed) is not None:
        found("something", typed)


def test_a_whole_book_may_be_typed() -> None:
    assert not found("a", " ".join(f"word{n}" for n in range(3000)))
    assert found("a", "a " + " ".join(f"-word{n}" for n in range(3000)))


@given(WRITTEN)
@example("İx ß")
@example("a" * 300 + "B" * 300)
@example("aB" * 40)
def test_a_text_is_found_by_each_of_its_words(text: str) -> None:
    for word in re.findall(r"[^\W_]+", text):
        assert UNKNOWN.search(word) or found(text, word)


@given(st.text(JAPANESE, min_size=2, max_size=12), st.data())
def test_a_japanese_text_is_found_by_each_of_its_parts(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 2))
    end = data.draw(st.integers(start + 1, len(text)))
    assert found(f"a {text}b", text[start:end])


@given(st.text(JAPANESE, min_size=2, max_size=6), st.text(JAPANESE, min_size=2, max_size=4))
def test_a_japanese_part_that_is_not_there_is_not_found(text: str, part: str) -> None:
    assert found(text, part) == (part in text)
