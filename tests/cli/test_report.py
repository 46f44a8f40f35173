"""The report on every header that we have, in both languages."""

from __future__ import annotations

import json

import pytest

from kanna.api import Inspection
from kanna.cli.report import document, report
from kanna.dtypes import FP32
from kanna.formats.ggml_types import GGML_TYPES
from kanna.identify import identify
from kanna.identity import Identity
from kanna.messages import set_language
from kanna.model import ModelFile, TensorInfo
from model_headers import headers, known, model_of


def lines(model: ModelFile, identity: Identity | None = None) -> list[str]:
    """The report in Japanese, which is to be as long as that in English."""
    found = Inspection(identity=identity or identify(model), model=model)
    json.dumps(document(found))
    english = report(found, verbose=True)
    set_language("ja")
    japanese = report(found, verbose=True)
    assert len(english) == len(japanese)
    assert report(found)
    return japanese


@pytest.mark.parametrize("name", headers())
def test_every_header_can_be_reported(name: str) -> None:
    assert len(lines(headers()[name].model(), known(name))) > 2


def test_mixed_quantisation_can_be_reported() -> None:
    """As GGUF files have it: block types that no other container knows."""
    types = list(GGML_TYPES.values())
    tensors = headers()["flux1-dev-bf16"].tensors
    mixed = {
        name: TensorInfo(name, types[number % len(types)], tensor.shape, tensor.data)
        for number, (name, tensor) in enumerate(tensors.items())
    }
    assert len(lines(model_of(mixed, dtype=FP32))) > 2


def test_a_tensor_of_another_shape_is_named() -> None:
    tensors = dict(headers()["vae-sd1-ft-mse"].tensors)
    bias = tensors["decoder.conv_out.bias"]
    tensors[bias.name] = TensorInfo(bias.name, bias.dtype, (4,), bias.data)
    shown = lines(model_of(tensors))
    assert any("decoder.conv_out.bias" in line for line in shown)
    assert any("1 個の形状が不一致" in line for line in shown)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("flux1-dev-fp8-scaled", "fp8-scaled+bf16"), ("flux1-dev-bnb-nf4-unet", "bnb-nf4+bf16"),
     ("sd35-large-fp8-e4m3-incl-clips-t5", "fp8")],
)  # fmt: skip
def test_scales_are_no_second_precision(name: str, shown: str) -> None:
    """The statistics of blocks take more bytes than what stays in 16 bits."""
    found = lines(headers()[name].model(), known(name))
    row = next(line for line in found if line.startswith("  拡散モデル本体  "))
    assert row.split()[1] == shown
