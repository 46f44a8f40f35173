from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import KannaError, UsageError
from kanna.infotext.a1111 import open_a1111_text
from kanna.infotext.expanding import LIMIT, expand, to_document
from kanna.infotext.info import GenerationInfo
from kanna.messages import LANGUAGES, set_language


def test_every_combination_is_a_text_in_a1111s_order_and_quotes() -> None:
    document = {
        "seed": [1, 2], "cfg_scale": 7.5, "prompt": ["猫", "犬,\n犬"], "negative_prompt": "bad",
        "steps": 20, "sampler_name": "Euler a", "width": 512, "height": 768, "Foo": "a, b",
        "model_hash": "6ce0161689", "empty": "", "none": None, "Tiling": True,
    }  # fmt: skip
    rest = 'Size: 512x768, Model hash: 6ce0161689, Tiling: True, Foo: "a, b"'
    head = "Steps: 20, Sampler: Euler a, CFG scale: 7.5"
    assert list(expand(document)) == [
        f"{prompt}\nNegative prompt: bad\n{head}, Seed: {seed}, {rest}"
        for seed in (1, 2)
        for prompt in ("猫", "犬,\n犬")
    ]


def test_keys_of_the_texts_do_as_well() -> None:
    document = {"Prompt": "a", "Negative prompt": "b", "Steps": "3", "Size-1": 8, "Size-2": 16}
    assert list(expand(document)) == ["a\nNegative prompt: b\nSteps: 3, Size: 8x16"]


@pytest.mark.parametrize(
    ("prompt", "count", "prompts"),
    [
        ("(a:0.5~1)", 3, ["(a:0.5)", "(a:0.75)", "(a:1)"]),
        ("(a:1~0) (b:2~4)", 2, ["(a:1) (b:2)", "(a:0) (b:4)"]),
        ("(a:0~1)", 4, ["(a:0)", "(a:0.333333)", "(a:0.666667)", "(a:1)"]),
        ("<lora:x:-1~1>", 3, ["<lora:x:-1>", "<lora:x:0>", "<lora:x:1>"]),
        ("(a:.5~1.5)", 1, ["(a:0.5)"]),
        ("a~b, v1~2x, 1girl~", 5, ["a~b, v1~2x, 1girl~"]),
    ],
)
def test_ranges_go_in_equal_steps(prompt: str, count: int, prompts: list[str]) -> None:
    assert list(expand({"prompt": prompt, "prompt_count": count})) == prompts


def test_ranges_in_both_prompts_are_combined() -> None:
    texts = list(expand({"prompt": "1~2", "negative_prompt": "3~4", "prompt_count": 2}))
    assert texts == [f"{a}\nNegative prompt: {b}" for a in (1, 2) for b in (3, 4)]


def test_without_a_count_a_range_stays() -> None:
    assert list(expand({"prompt": "(a:0.5~1)"})) == ["(a:0.5~1)"]


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"seed": list(range(400)), "steps": list(range(400))}, "infotext_text.too_many"),
        ({"prompt": ["1~2"] * 1000, "prompt_count": 1000}, "infotext_text.too_many"),
        ({"prompt": "1~2", "seed": [1, 2], "prompt_count": LIMIT}, "infotext_text.too_many"),
        ({"seed": []}, "infotext_text.empty_list"),
        ({"seed": [[1]]}, "infotext_text.bad_value"),
        ({"prompt_count": 0}, "infotext_text.bad_count"),
        ({"prompt_count": True}, "infotext_text.bad_count"),
        ({"prompt_count": "3"}, "infotext_text.bad_count"),
        ({"prompt_count": LIMIT + 1}, "infotext_text.bad_count"),
        ({"a: b": 1}, "infotext_text.bad_key"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_expanded_is_told(document: dict[str, Any], key: str, language: str) -> None:
    set_language(language)
    with pytest.raises(KannaError) as caught:
        expand(document)
    assert caught.value.key == key
    assert caught.value.message
    assert caught.value.hint
    assert isinstance(caught.value, UsageError) or key == "infotext_text.bad_key"


def test_a_hundred_thousand_texts_are_made_one_by_one() -> None:
    texts = expand({"prompt": "a", "steps": 1, "seed": list(range(LIMIT))})
    assert next(texts) == "a\nSteps: 1, Seed: 0"
    assert sum(1 for _ in texts) == LIMIT - 1


def test_a_document_has_numbers_where_they_are_nothing_else() -> None:
    text = (
        "a\nSteps: 20, CFG scale: 7.50, Seed: 12345678901234567890, Model hash: 1234567890, "
        "Denoising strength: 0.5"
    )
    document = to_document(open_a1111_text(text).info)
    assert document == {
        "prompt": "a", "Steps": 20, "CFG scale": "7.50", "Seed": "12345678901234567890",
        "Model hash": "1234567890", "Denoising strength": 0.5,
    }  # fmt: skip


def test_other_programs_pictures_have_documents_too() -> None:
    info = GenerationInfo(dialect="novelai", prompt="a", steps=28, sampler="k_euler_ancestral",
                          seed=5, width=832, height=1216)  # fmt: skip
    (text,) = expand(to_document(info))
    assert text == "a\nSteps: 28, Sampler: Euler a, Seed: 5, Size: 832x1216"


@given(
    prompt=st.text(max_size=30).filter(lambda text: "prompt:" not in text),
    values=st.dictionaries(
        st.sampled_from(["Model", "Hires prompt", "Foo", "VAE"]), st.text(min_size=1)
    ),
)
def test_any_values_come_back(prompt: str, values: dict[str, str]) -> None:
    document = {"prompt": prompt, "steps": 20, "seed": 1, "size": "8x8", **values}
    (text,) = expand(document)
    info = open_a1111_text(text).info
    assert (info.prompt or "") == "\n".join(x.rstrip("\r") for x in prompt.split("\n")).strip()
    read = {one.key: one.value for one in info.parameters}
    assert {key: read[key] for key in values} == values


def test_a_size_of_nothing_is_left_out_and_no_zero_is_below_zero() -> None:
    given = {
        "prompt": "(a:-0.0000001~1)",
        "prompt_count": 2,
        "steps": 20,
        "hr_resize_x": 0,
        "hr_resize_y": 0,
    }
    assert list(expand(given)) == ["(a:0)\nSteps: 20", "(a:1)\nSteps: 20"]
