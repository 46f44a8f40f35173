"""Every dialect over its corpus: what is read, what stays, what changes when one thing is changed."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from infotext_corpus import Case, cases, every_case
from kanna.errors import Incompatible
from kanna.infotext import open_text, open_texts
from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo
from kanna.pictures.picture import PictureText

CASES = pytest.mark.parametrize("case", every_case(), ids=lambda case: case.name)


def opened(texts: tuple[PictureText, ...]) -> Editable:
    found = open_texts(texts)
    assert found is not None
    return found


def told(info: GenerationInfo) -> GenerationInfo:
    """What is compared: all but where things stand, and the pairs."""
    models = tuple(replace(one, where="") for one in info.models)
    return replace(info, models=models, parameters=())


@CASES
def test_what_a_picture_says_is_read(case: Case) -> None:
    info = opened(case.texts).info
    assert told(info) == case.info
    pairs = {one.key: one.value for one in info.parameters}
    assert pairs | case.pairs == pairs


@CASES
def test_an_untouched_picture_keeps_its_texts(case: Case) -> None:
    assert opened(case.texts).texts() == case.texts


@CASES
def test_reading_a_change_gives_what_was_put_there_and_all_else_as_it_was(case: Case) -> None:
    for name in case.edits:
        editable = opened(case.texts)
        changed, value = change(editable, name)
        again = opened(changed.texts()).info
        assert again == changed.info
        assert getattr(again, name) == value
        others = {one.name for one in fields(GenerationInfo)} - {name, "parameters", "models"}
        for other in others:
            assert getattr(again, other) == getattr(editable.info, other), other
        assert [one.keyword for one in changed.texts()] == [one.keyword for one in case.texts]


def change(editable: Editable, name: str) -> tuple[Editable, object]:
    if name == "prompt":
        value = '雪の "城" \\ & <b>'
        return editable.with_prompt(value), value
    if name == "negative":
        return editable.with_negative("ぼやけた"), "ぼやけた"
    return editable.with_parameter(name, "31"), 31


@pytest.mark.parametrize(
    "case",
    [case for case in every_case() if opened(case.texts).info.width is not None],
    ids=lambda case: case.name,
)
def test_a_size_can_be_set_where_there_is_one(case: Case) -> None:
    info = opened(case.texts).with_parameter("Size", "640x448").info
    assert (info.width, info.height) == (640, 448)


@CASES
def test_a_pair_is_set_by_its_own_key_and_nothing_else_moves(case: Case) -> None:
    editable = opened(case.texts)
    before = {one.key: one.value for one in editable.info.parameters}
    for key in case.pairs:
        try:
            changed = editable.with_parameter(key, case.pairs[key])
        except Incompatible:
            continue
        assert {one.key: one.value for one in changed.info.parameters} == before


@pytest.mark.parametrize("dialect", ["novelai", "swarmui", "invokeai", "fooocus", "easydiffusion"])
def test_pairs_of_json_can_be_new_and_can_go(dialect: str) -> None:
    editable = opened(cases(dialect)[0].texts)
    if dialect == "easydiffusion":
        editable = opened(cases(dialect)[2].texts)
    more = editable.with_parameter("my own", "12.5")
    assert ("my own", "12.5") in [(one.key, one.value) for one in more.info.parameters]
    assert more.without_parameter("my own").texts() == editable.texts()
    assert editable.without_parameter("my own").texts() == editable.texts()


def test_what_is_no_value_of_its_kind_is_refused() -> None:
    editable = opened(cases("novelai")[1].texts)
    for key, value in (("steps", "many"), ("sm", "12"), ("seed", "[1]"), ("scale", "NaN")):
        with pytest.raises(Incompatible, match="not a value"):
            editable.with_parameter(key, value)


def test_where_there_is_no_place_it_is_said() -> None:
    midjourney = opened(cases("midjourney")[0].texts)
    with pytest.raises(Incompatible, match="no single place"):
        midjourney.with_parameter("steps", "3")
    with pytest.raises(Incompatible, match="line breaks"):
        opened(cases("invokeai")[4].texts).with_prompt("two\nlines")


@pytest.mark.parametrize(
    ("dialect", "number", "keyword"),
    [
        ("swarmui", 0, "parameters"),
        ("novelai", 1, "Comment"),
        ("invokeai", 0, "invokeai_metadata"),
        ("invokeai", 3, "sd-metadata"),
        ("fooocus", 0, "parameters"),
        ("easydiffusion", 2, "UserComment"),
        ("easydiffusion", 3, "parameters"),
        ("drawthings", 2, "UserComment"),
    ],
)
def test_a_file_beside_the_picture_says_the_same(dialect: str, number: int, keyword: str) -> None:
    case = cases(dialect)[number]
    editable = open_text(case.text(keyword))
    assert editable is not None
    assert editable.info.dialect == dialect
    assert editable.info.prompt == case.info.prompt
    assert [one.text for one in editable.texts()] == [case.text(keyword)]


def test_a_text_beside_the_picture_is_a_prompt_at_least() -> None:
    for text in ("1girl, 猫", "{red|blue} hat", "[cat:dog:0.5] sitting\n", "a: b"):
        editable = open_text(text)
        assert editable is not None
        assert editable.texts()[0].text == text
    assert open_text("\ufeff \n") is None
    assert open_text("[1, 2]") is None


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("parameters", ""),
        ("Comment", "Created with GIMP"),
        ("Software", "Adobe Photoshop 25"),
        ("ImageDescription", "OLYMPUS DIGITAL CAMERA"),
        ("UserComment", "{}"),
        ("Comment", '{"a": 1}'),
        ("Description", "A cat."),
        ("prompt", "just words"),
        ("Comment", "the Stable Diffusion model that I like"),
    ],
)
def test_other_texts_say_nothing(keyword: str, text: str) -> None:
    assert open_texts([PictureText(place="tEXt", keyword=keyword, text=text)]) is None
    assert open_texts([]) is None


@pytest.mark.parametrize("keyword", ["invokeai_metadata", "workflow", "sd-metadata", "Dream"])
@pytest.mark.parametrize("text", ["{", '{"a": ', "nonsense", "[" * 5000, '{"image": 5}'])
def test_damaged_texts_are_told_of(keyword: str, text: str) -> None:
    editable = opened((PictureText(place="tEXt", keyword=keyword, text=text),))
    assert editable.info.dialect == "unknown"
    assert editable.info.notes[0].values == {"name": keyword}
    assert editable.texts()[0].text == text
