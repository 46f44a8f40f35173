"""How much of files computed tensors are made of, and plans with them read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kanna.dtypes import FP16, FP32
from kanna.formats import open_model
from kanna.lora.baking import baked
from kanna.model import ModelFile, TensorInfo
from kanna.plan import Output, Plan, WeightedSum
from kanna.quantizing.stored import dequantised
from kanna.views import joined, rows, transposed
from kanna.views.columns import columns
from kanna.views.computed import summed
from kanna.views.given import zeros
from kanna.views.sources import stored_bytes
from lora_files import file_of, identity_of, random
from lora_pairs import opened, saved


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """Two matrices of 8 x 6, in fp16 and in fp32: 96 and 192 bytes."""
    tensors = {"a": random(8, 6).half(), "b": random(8, 6)}
    with open_model(saved(tmp_path / "x.safetensors", tensors)) as found:
        return found


def test_views_are_seen_through(model: ModelFile) -> None:
    a, b = model["a"], model["b"]
    both = summed([a, b], [1.0, 1.0])
    assert stored_bytes([a]) == 96
    assert stored_bytes([both]) == 96 + 192
    assert stored_bytes([summed([both, a], [0.5, 2.0])]) == 96 + 192  # `a` is there twice
    assert stored_bytes([rows(b, 0, 2), rows(b, 4, 8)]) == 48 + 96
    assert stored_bytes([joined([rows(b, 4, 8), rows(b, 0, 2)])]) == 48 + 96
    assert stored_bytes([transposed(a), columns(b, 0, 3)]) == 96 + 192
    assert stored_bytes([joined([both, zeros("z", FP32, (3, 6))])]) == 96 + 192
    assert stored_bytes([]) == 0


def test_a_deep_stack_of_views_that_share_is_walked_once(model: ModelFile) -> None:
    tensor: TensorInfo = model["b"]
    for _ in range(2000):
        tensor = summed([tensor, tensor], [0.5, 0.5])
    assert stored_bytes([tensor]) == 192


def test_a_plan_of_sums_reads_its_inputs(model: ModelFile) -> None:
    both = summed([model["a"], model["b"]], [1.0, 1.0])
    out = Output("out", FP16, (8, 6), WeightedSum((1.0, 1.0)), (model["a"], both))
    plan = Plan(outputs=(out, Output.of(model["b"])), container="safetensors", inputs=(model,))
    assert plan.read_bytes == 96 + 192 + 192


def test_a_bake_reads_the_weight_and_the_lora(tmp_path: Path) -> None:
    name = "model.x_embedder.weight"
    with open_model(saved(tmp_path / "m.safetensors", {name: random(12, 4)})) as base:
        identity = identity_of(base, [("diffusion_model", "model.", "diffusers")], "flux")
        own = {"transformer.x_embedder.lora_B.weight": random(12, 2),
               "transformer.x_embedder.lora_A.weight": random(2, 4)}  # fmt: skip
        lora = opened(file_of(own), "flux", kind="lora")
        (delta,) = baked(lora.model, lora.identity, base, identity).deltas.values()
        terms = delta.adds(base[name], 1.0)
        assert stored_bytes([base[name], *(term.tensor for term in terms)]) == 4 * (48 + 24 + 8)


def test_decoded_weights_read_what_is_stored(tmp_path: Path) -> None:
    stored = {"w.weight": random(8, 6).to(torch.float8_e4m3fn), "w.scale_weight": torch.ones(()),
              "scaled_fp8": torch.empty(0, dtype=torch.float8_e4m3fn)}  # fmt: skip
    with open_model(saved(tmp_path / "q.safetensors", stored)) as model:
        (weight,) = (one for one in dequantised(model).values() if one.name == "w.weight")
        assert weight.dtype is FP32
        assert stored_bytes([weight]) == 48 + 4
