"""Texts that make careless patterns look at every piece of them from every place: minutes each."""

from __future__ import annotations

import json

import pytest

from kanna.infotext import open_texts
from kanna.infotext.values import number_of
from kanna.pictures.picture import PictureText

MANY = 300_000
SPACES = " " * MANY
JOB = "Job ID: " + "a" * 36
INVOKE = {"image": {"prompt": [{"prompt": f"a{SPACES}x"}]}}
TEXTS = {
    "spaces before no job": {"Description": f"{SPACES}{JOB[:-1]}"},
    "spaces behind an option": {"Description": f"a --a b{SPACES}x {JOB}"},
    "spaces before no brackets": {"sd-metadata": json.dumps(INVOKE)},
    "a tag that is opened again and again": {"x": "Draw Things" + "<exif:UserComment " * MANY},
    "spaces before no digest": {"Comment": '{"steps": 1, "uc": ""}', "Source": f"a{SPACES}b"},
    "digits that are no number": {
        "use_stable_diffusion_model": "a", "guidance_scale": "1" * MANY + "x",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_long_texts_are_looked_at_once(name: str) -> None:
    said = TEXTS[name].items()
    texts = [PictureText(place="tEXt", keyword=key, text=text) for key, text in said]
    found = open_texts(texts)
    assert found is None or found.texts() == tuple(texts)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("1.", 1),
        (" .5 ", 0.5),
        ("-1.5e3", -1500),
        ("1.2.3", None),
        (".", None),
        ("1\x1d", 1),
        ("1" * 3999 + "e5", None),
    ],
)
def test_numbers_may_be_text(text: str, number: float | None) -> None:
    assert number_of(text) == number
