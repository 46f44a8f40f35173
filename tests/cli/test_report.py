"""The report on every header that we have, in both languages."""

from __future__ import annotations

import json

import pytest

from kanna.api import Inspection
from kanna.cli.report import document, report
from kanna.dtypes import FP32
from kanna.formats.ggml_types import GGML_TYPES
from kanna.identify import identify
from kanna.messages import set_language
from kanna.model import ModelFile, TensorInfo
from model_headers import headers, model_of


def lines(model: ModelFile) -> list[str]:
    """The report in Japanese, which is to be as long as that in English."""
    found = Inspection(identity=identify(model), model=model)
    json.dumps(document(found))
    english = report(found, verbose=True)
    set_language("ja")
    japanese = report(found, verbose=True)
    assert len(english) == len(japanese)
    assert report(found)
    return japanese


@pytest.mark.parametrize("name", headers())
def test_every_header_can_be_reported(name: str) -> None:
    assert len(lines(headers()[name].model())) > 2


def test_mixed_quantisation_can_be_reported() -> None:
    """As GGUF files have it: block types that no other container knows."""
    types = list(GGML_TYPES.values())
    tensors = headers()["flux1-dev-bf16"].tensors
    mixed = {
        name: TensorInfo(name, types[number % len(types)], tensor.shape, tensor.data)
        for number, (name, tensor) in enumerate(tensors.items())
    }
    assert len(lines(model_of(mixed, dtype=FP32))) > 2
