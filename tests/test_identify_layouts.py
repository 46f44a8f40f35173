"""Layouts that are remembered change nothing of what a file is found to be."""

from __future__ import annotations

import json
from dataclasses import replace

from kanna.identify import identify
from kanna.identify.layouts import Layouts
from model_headers import headers, known

PICKED = [name for at, name in enumerate(headers()) if at % 9 == 0]


def test_a_remembered_layout_gives_the_same_identity() -> None:
    layouts = Layouts()
    for name in PICKED:
        first = identify(headers()[name].model(), layouts=layouts)
        again = identify(headers()[name].model(), layouts=layouts)
        expected = json.dumps(known(name).to_json())
        assert json.dumps(first.to_json()) == json.dumps(again.to_json()) == expected


def test_another_dtype_or_container_is_another_layout() -> None:
    layouts = Layouts()
    model = headers()[PICKED[0]].model()
    identify(model, layouts=layouts)
    name, tensor = next(iter(model.tensors.items()))
    other = replace(model, tensors={**model.tensors, name: replace(tensor, shape=(7, 7))})
    assert identify(other, layouts=layouts).to_json() == identify(other).to_json()
