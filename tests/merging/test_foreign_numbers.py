"""Recipes of sd-mecha, converted and run here: the numbers that sd-mecha itself makes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from diff_models import CLIP, UNET, identity_of
from kanna.formats import open_model
from kanna.merging.foreign import in_text
from kanna.merging.recipe import Recipe
from kanna.ops.merge import merge as plan_merge
from kanna.ops.merge_inputs import Opened
from merge_files import made

SHAPES = {
    UNET + "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight": (32, 32),
    UNET + "input_blocks.1.1.transformer_blocks.0.norm1.bias": (320,),
    UNET + "middle_block.1.transformer_blocks.0.attn2.to_k.weight": (128, 76),
    UNET + "output_blocks.11.0.in_layers.2.weight": (32, 64, 3, 3),
    CLIP + "text_model.encoder.layers.0.self_attn.k_proj.weight": (76, 76),
}


@pytest.fixture(scope="module")
def mecha() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("sd_mecha")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models that are near to one another, with some of SD1's tensors."""
    place = tmp_path_factory.mktemp("models")
    random = torch.Generator().manual_seed(5)
    base = {name: 0.03 * torch.randn(shape, generator=random) for name, shape in SHAPES.items()}
    for letter in "abc":
        near = {n: t + 0.01 * torch.randn(t.shape, generator=random) for n, t in base.items()}
        save_file(near, place / f"{letter}.safetensors")
    return place


def _train_difference(mecha: Any, a: Any, b: Any, c: Any) -> Any:
    mask = mecha.train_difference_mask(a, b, c, alpha=0.7)
    add = mecha.extensions.merge_methods.resolve("add_difference")
    return add(a, mecha.subtract(b, c), alpha=mask)


RECIPES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "weighted-sum": lambda m, a, b, _: m.weighted_sum(a, b, alpha=0.3),
    "by block": lambda m, a, b, _: m.weighted_sum(
        a, b, alpha=m.convert({"BASE": 0.25, "IN01": 0.5, "M00": 1.0, "OUT11": 0.75}, a)
    ),
    "add-difference": lambda m, a, b, c: m.add_difference(a, b, c, alpha=0.7),
    "clamped": lambda m, a, b, c: m.add_difference(a, b, c, alpha=0.7, clamp_to_ab=True),
    "slerp": lambda m, a, b, _: m.slerp(a, b, alpha=0.4),
    "train-difference": _train_difference,
    "n-average": lambda m, a, b, c: m.n_average(a, b, c),
    "geometric": lambda m, a, b, _: m.geometric_sum(a, b, alpha=0.4),
    "two steps": lambda m, a, b, c: m.weighted_sum(m.slerp(a, b), c, alpha=0.2),
}


def run_here(recipe: Recipe, folder: Path) -> dict[str, torch.Tensor]:
    """What kanna makes of the files, which are too small to be known as SD1 by themselves."""
    with ExitStack() as stack:
        models = {
            name: stack.enter_context(open_model(source.path or ""))
            for name, source in recipe.sources.items()
        }
        opened = {n: Opened(model=one, identity=identity_of(one)) for n, one in models.items()}
        return made(plan_merge(recipe, opened), folder)


@pytest.mark.parametrize("name", RECIPES)
def test_the_numbers_are_those_of_sd_mecha(
    mecha: Any, folder: Path, tmp_path: Path, name: str
) -> None:
    models = [
        mecha.model(str(folder / f"{n}.safetensors"), config="sd1-ldm", merge_space="weight")
        for n in "abc"
    ]
    node = RECIPES[name](mecha, *models)
    recipe = in_text(mecha.serialize(node, finalize=False)).recipe
    ours, theirs = run_here(recipe, tmp_path), dict[str, torch.Tensor]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mecha.merge(node, output=theirs, merge_dtype=torch.float32, output_dtype=torch.float32,
                    threads=0, strict_mandatory_keys=False)  # fmt: skip
    lead = load_file(folder / "a.safetensors")
    for key in SHAPES:
        assert torch.allclose(ours[key], theirs[key], rtol=2e-5, atol=2e-7), key
        assert not torch.equal(ours[key], lead[key]), key
