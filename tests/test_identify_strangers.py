"""Models that resemble known ones: what they are taken for is never certain.

``data/strangers.json.gz`` holds names and shapes of models that diffusers 0.42 and transformers 5.23
build by default: they borrow blocks, names or widths of models that the tables know.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kanna.families.keys import expand_lines
from kanna.identify import identify
from kanna.messages import LANGUAGES, set_language
from model_headers import headers, keys, model_of

DATA = Path(__file__).parent / "data" / "strangers.json.gz"
Shapes = dict[str, tuple[int, ...]]


@cache
def strangers() -> Mapping[str, list[str]]:
    with gzip.open(DATA) as stream:
        raw: dict[str, list[str]] = json.load(stream)
    return raw


def shapes(name: str) -> Shapes:
    lines: Any = expand_lines(strangers()[name])
    return {key: tuple(shape) for key, shape in lines}


@pytest.mark.parametrize("name", strangers())
def test_what_only_resembles_a_known_model_is_never_certain(name: str) -> None:
    assert identify(model_of(shapes(name))).certainty != "certain"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("rae", "much_unknown"),  # a whole DINOv2, and a decoder that no table knows
        ("starcoder2", "other_widths"),  # biases like Qwen 2.5's, in no width of it
        ("afmoe", "built_upon"),  # queries and keys like Qwen 3's, experts that it never had
        ("image-normalizer", "by_width"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_evidence_says_why(name: str, key: str, language: str) -> None:
    set_language(language)
    assert key in keys(identify(model_of(shapes(name))))


def test_a_strange_model_beside_a_whole_one_must_be_large_to_raise_doubt() -> None:
    known = headers()["sd15-fp16-pruned"].tensors
    few: Shapes = {f"extra.{n}.gain": (7, 5) for n in range(30)}
    many: Shapes = {f"extra.{n}.gain": (7, 5) for n in range(300)}
    assert identify(model_of({**known, **few})).certainty == "certain"
    assert identify(model_of({**known, **many})).certainty == "likely"
