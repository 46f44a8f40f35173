from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.infotext.tokens import read_tokens, token_text


@pytest.mark.parametrize(
    ("text", "name", "numbers", "rest"),
    [
        ("<lora:猫 v1.2>", "猫 v1.2", (None, None), ()),
        ("<lora:a:0.8>", "a", (0.8, 0.8), ()),
        ("<lora:a:0.8:0.5>", "a", (0.8, 0.5), ()),
        ("<lora:sub/a:-1:0:32>", "sub/a", (-1.0, 0.0), ("32",)),
        ("<lora:a:te=0.3:unet=0.6:dyn=8>", "a", (0.3, 0.6), ("dyn=8",)),
        ("<lora:a:1:lbw=ALL:stop=10>", "a", (1.0, 1.0), ("lbw=ALL", "stop=10")),
        ("<lora:a:much>", "a", (None, None), ()),
        ("<lora:a:nan>", "a", (None, None), ()),
        ("<lora: a :1>", "a", (1.0, 1.0), ()),
    ],
)
def test_arguments_are_read_as_the_lora_extension_reads_them(
    text: str, name: str, numbers: tuple[float | None, float | None], rest: tuple[str, ...]
) -> None:
    (token,) = read_tokens(f"1girl, {text}, solo")
    assert (token.name, token.rest) == (name, rest)
    assert (token.text_encoder, token.unet) == numbers
    assert f"1girl, {text}, solo"[token.start : token.end] == text


def test_only_tokens_that_name_files_are_read() -> None:
    tokens = list(
        read_tokens("<lyco:a:1><hypernet:b:0.6>(c:1.2)<d:e:f> a < b > c <LORA:x:1> <lora:>")
    )
    assert [(one.role, one.name) for one in tokens] == [
        ("lora", "a"), ("hypernetwork", "b"), ("lora", "x"),
    ]  # fmt: skip


@given(
    name=st.text(st.characters(exclude_characters="<>:=", exclude_categories=["Cs"]), min_size=1),
    strength=st.integers(-200, 200).map(lambda n: n / 100),
)
def test_a_written_token_is_read_again(name: str, strength: float) -> None:
    (token,) = read_tokens(f"a {token_text(name, strength)} b")
    assert (token.name, token.unet) == (name.strip(), strength)
