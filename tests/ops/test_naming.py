"""Names of what is made of a file: its own, as far as every system can write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kanna.ops.naming import kept_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("アニメ　v1.5 (改).safetensors", "アニメ　v1.5 (改)"),
        ("my model.v2.ckpt", "my model.v2"),
        ("model.safetensors.index.json", "model"),
        ("what?<a>|b:.safetensors", "what__a__b_"),
        ("CON.safetensors", "model-CON"),
        ("a\udcff\x1b.ckpt", "a__"),
        ("v1. .ckpt", "v1"),
    ],
)  # fmt: skip
def test_parts_are_called_as_their_model(name: str, stem: str) -> None:
    assert kept_stem(Path(name)) == stem


def test_names_are_cut_between_letters() -> None:
    stem = kept_stem(Path("モデル" * 50 + ".safetensors"))
    assert len(stem.encode()) == 180
    assert set(stem) == set("モデル")


def test_two_names_without_a_letter_stay_apart() -> None:
    assert kept_stem(Path("…. .ckpt")) != kept_stem(Path(" . .ckpt"))
