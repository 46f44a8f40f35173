"""Adjust: one model's detail, contrast and colour, as SuperMerger's eight numbers change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch

from engine_plans import plan, read_back, store
from kanna.dtypes import FP16
from kanna.engine import run
from kanna.errors import Incompatible, UsageError
from kanna.families.blocks import blocks_of
from kanna.merging.graph import Graph
from kanna.merging.recipe import Recipe, Source, Step, Weight
from kanna.merging.terms import as_output
from kanna.merging.weights import Weights
from kanna.model import ModelFile
from kanna.plan import Copy
from model_headers import headers, known

PARAMETERS = (
    "detail_in", "detail_out", "detail_out_2", "contrast",
    "brightness", "colour_1", "colour_2", "colour_3",
)  # fmt: skip
ENDS = ("input_blocks.0.0.weight", "input_blocks.0.0.bias", "out.0.weight", "out.0.bias", "out.2.weight", "out.2.bias")  # fmt: skip
OTHER = "middle_block.0.in_layers.0.bias"
DIFFUSERS = dict(zip(ENDS, ("conv_in.weight", "conv_in.bias", "conv_norm_out.weight", "conv_norm_out.bias", "conv_out.weight", "conv_out.bias"), strict=True))  # fmt: skip
# The colours of SuperMerger's COLS and COLSXL, a row for each of its last four numbers.
ROWS = {
    "sd1": [[-1, 1 / 3, 2 / 3], [1, 1, 0], [0, -1, -1], [1, 0, 1]],
    "sdxl": [[0, 0, 1], [1, 0, 0], [-1, -1, 0], [-1, 1, 0]],
}


def expected(
    tensors: Mapping[str, torch.Tensor], numbers: Sequence[float], rows: str
) -> dict[str, torch.Tensor]:
    """The same told anew, in fp64."""
    a, b, c, contrast, *colours = numbers
    factors = (1 - 0.01 * a, 1 + 0.02 * a, 1 - 0.01 * b, 1 + 0.02 * b, 1 - 0.01 * c, 1.0)
    made = {
        name: tensors[name].double() * factor for name, factor in zip(ENDS, factors, strict=True)
    }
    shift = torch.tensor(ROWS[rows], dtype=torch.float64).T @ torch.tensor(
        colours, dtype=torch.float64
    )
    made["out.2.bias"] += 0.02 * torch.cat([torch.tensor([contrast], dtype=torch.float64), shift])
    made[OTHER] = tensors[OTHER].double()
    return made


def noise(channels: int = 4) -> dict[str, torch.Tensor]:
    source = torch.Generator().manual_seed(7)
    shapes = ((320, channels, 3, 3), (320,), (320,), (320,), (4, 320, 3, 3), (4,), (1280,))
    return {
        name: torch.randn(shape, generator=source).half()
        for name, shape in zip((*ENDS, OTHER), shapes, strict=True)
    }


def step_of(numbers: Sequence[float]) -> Step:
    given = zip(PARAMETERS, numbers, strict=True)
    return Step(name="made", method="adjust", models=("a",),
                parameters={name: Weight(value=number) for name, number in given})  # fmt: skip


def graph_of(header: str, models: Mapping[str, ModelFile], step: Step) -> Graph:
    recipe = Recipe(sources={"a": Source(path="a")}, steps=(step,))
    return Graph(recipe, models, Weights(blocks_of(headers()[header].model(), known(header))))


def adjusted(
    folder: Path, header: str, tensors: Mapping[str, torch.Tensor], step: Step
) -> dict[str, torch.Tensor]:
    """What is in the file that comes of it."""
    with store(folder / "a", tensors) as model:
        graph = graph_of(header, {"a": model}, step)
        sums = {name: graph.sum_of("made", name) for name in tensors}
        outputs = [as_output(n, terms, FP16, model[n].shape) for n, terms in sums.items() if terms]
        run(plan(model, outputs), folder / "out.safetensors")
    return read_back(folder / "out.safetensors")


def under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


NUMBERS = (3.0, -2.0, 1.5, 4.0, 1.0, -0.5, 2.0, -3.0)


@pytest.mark.parametrize(
    ("header", "rows"),
    [("sd15-fp16-pruned", "sd1"), ("sd21-fp16-pruned", "sd1"), ("sdxl-base-fp16", "sdxl"),
     ("sdxl-refiner-fp16", "sdxl")],
)  # fmt: skip
def test_all_eight_numbers_are_as_in_supermerger(header: str, rows: str, tmp_path: Path) -> None:
    prefix, tensors = "model.diffusion_model.", noise()
    made = adjusted(tmp_path, header, under(prefix, tensors), step_of(NUMBERS))
    for name, tensor in expected(tensors, NUMBERS, rows).items():
        torch.testing.assert_close(made[prefix + name], tensor.half(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("at", range(8))
def test_each_number_alone(at: int, tmp_path: Path) -> None:
    numbers = [float(2 * (i == at)) for i in range(8)]
    prefix, tensors = "model.diffusion_model.", noise()
    made = adjusted(tmp_path, "sdxl-base-fp16", under(prefix, tensors), step_of(numbers))
    for name, tensor in expected(tensors, numbers, "sdxl").items():
        torch.testing.assert_close(made[prefix + name], tensor.half(), rtol=1e-3, atol=1e-6)


def test_nothing_given_changes_nothing(tmp_path: Path) -> None:
    tensors = under("model.diffusion_model.", noise())
    step = Step(name="made", method="adjust", models=("a",))
    made = adjusted(tmp_path, "sd15-fp16-pruned", tensors, step)
    assert all(torch.equal(made[name], tensor) for name, tensor in tensors.items())


def test_a_wide_model_and_a_diffusers_layout_are_adjusted_too(tmp_path: Path) -> None:
    tensors = noise(channels=9)
    names = {**DIFFUSERS, OTHER: "mid_block.resnets.0.norm1.bias"}
    renamed = {names[name]: tensor for name, tensor in tensors.items()}
    made = adjusted(tmp_path, "sd15-inpaint-unet-diffusers-f32", renamed, step_of(NUMBERS))
    for name, tensor in expected(tensors, NUMBERS, "sd1").items():
        torch.testing.assert_close(made[names[name]], tensor.half(), rtol=1e-3, atol=1e-6)


def test_what_is_not_adjusted_is_copied(tmp_path: Path) -> None:
    name = f"model.diffusion_model.{OTHER}"
    with store(tmp_path / "a", {name: noise()[OTHER]}) as model:
        sums = graph_of("sd15-fp16-pruned", {"a": model}, step_of(NUMBERS)).sum_of("made", name)
        assert sums is not None
        assert isinstance(as_output(name, sums, FP16, (1280,)).op, Copy)


def test_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        adjusted(tmp_path, "flux1-dev-bf16", {"img_in.bias": torch.zeros(3072)}, step_of(NUMBERS))
    assert caught.value.key == "blocks.no_adjust"
    assert "flux" in str(caught.value)


def test_latents_of_another_size_are_refused(tmp_path: Path) -> None:
    tensors = {"model.diffusion_model.out.2.bias": torch.zeros(8)}
    with pytest.raises(Incompatible) as caught:
        adjusted(tmp_path, "sd15-fp16-pruned", tensors, step_of(NUMBERS))
    assert caught.value.key == "merge.not_so_many"
