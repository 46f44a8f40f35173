"""Sums of models that are nearly equal, held to integers: what a recipe's decimals say, rounded once.

Of such models a tenth and nine tenths often meet halfway between two numbers of fp16, where sums in
fp32, whose 0.1 and 0.9 do not sum to 1, go to whichever side their errors are on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from engine_plans import plan, read_back, store
from kanna.dtypes import FP16
from kanna.engine import run
from kanna.merging.graph import Graph
from kanna.merging.recipe import Recipe, Source, Step, Weight
from kanna.merging.terms import Sum, Term, as_output, as_tensor
from kanna.model import ModelFile
from merge_calls import Everywhere

COUNT = 100_000
Array = npt.NDArray[np.float16]


@pytest.fixture
def models(tmp_path: Path) -> Iterator[dict[str, ModelFile]]:
    """A model, and two that were trained a little further, each in its own way."""
    draw = np.random.default_rng(5)
    start = draw.standard_normal(COUNT) * 0.05
    opened = {
        name: store(tmp_path / name, {"w": torch.from_numpy((start + moved).astype(np.float16))})
        for name, moved in zip("abc", draw.standard_normal((3, COUNT)) * 5e-4, strict=True)
    }
    yield opened
    for model in opened.values():
        model.close()


def rounded(models: Sequence[ModelFile], shares: Sequence[Fraction]) -> Array:
    """The sum, of which every number is rounded to the nearest of fp16, at ties to the even one."""
    unit = 2**24  # fp16 counts in these
    over = np.lcm.reduce([share.denominator for share in shares])
    halves = [np.frombuffer(model["w"].read(), np.float16) for model in models]
    whole = [np.rint(half.astype(np.float64) * unit).astype(np.int64) for half in halves]
    total = sum(int(share * over) * one for share, one in zip(shares, whole, strict=True))
    near = (total / (over * unit)).astype(np.float16)
    candidates = np.stack([np.nextafter(near, np.float16(-np.inf)), near,
                           np.nextafter(near, np.float16(np.inf))])  # fmt: skip
    steps = np.rint(candidates.astype(np.float64) * unit).astype(np.int64)
    odd = candidates.view(np.uint16) & 1
    best = np.argmin(2 * np.abs(steps * over - total) + odd, axis=0)
    nearest: Array = candidates[best, np.arange(COUNT)]
    return nearest


def made(models: dict[str, ModelFile], step: Step, device: str = "cpu") -> Sum:
    recipe = Recipe(sources={name: Source(path=name) for name in models}, steps=(step,))
    found = Graph(recipe, models, Everywhere(), device=device).sum_of(step.name, "w")
    assert found is not None
    return found


def right(models: dict[str, ModelFile], terms: Sum, wanted: Array, out: Path) -> float:
    """How many of the numbers that are written are those that are `wanted`."""
    run(plan(models["a"], [as_output("w", terms, FP16, (COUNT,))]), out)
    return float((read_back(out)["w"].numpy() == wanted).mean())


@pytest.mark.parametrize("alpha", ["0.05", "0.1", "0.3", "0.35", "0.7", "0.9"])
def test_a_weighted_sum_is_rounded_to_the_nearest_number(
    models: dict[str, ModelFile], alpha: str, tmp_path: Path
) -> None:
    step = Step(name="x", method="weighted-sum", models=("a", "b"),
                parameters={"alpha": Weight(value=float(alpha))})  # fmt: skip
    share, terms = Fraction(alpha), made(models, step)
    wanted = rounded([models["a"], models["b"]], [1 - share, share])
    assert right(models, terms, wanted, tmp_path / "out") >= 0.9999
    viewed = (Term(as_tensor(terms)),)  # as the channels of a wide first layer are
    assert right(models, viewed, wanted, tmp_path / "viewed") >= 0.9999
    elsewhere = made(models, step, device="cpu:0")  # torch sums, as on a GPU
    assert right(models, elsewhere, wanted, tmp_path / "elsewhere") >= 0.9999


def test_so_is_a_difference_that_is_added(models: dict[str, ModelFile], tmp_path: Path) -> None:
    step = Step(name="x", method="add-difference", models=("a", "b"), base="c",
                parameters={"alpha": Weight(value=0.1)})  # fmt: skip
    shares = [Fraction(1), Fraction("0.1"), -Fraction("0.1")]
    wanted = rounded([models[name] for name in "abc"], shares)
    assert right(models, made(models, step), wanted, tmp_path / "out") >= 0.9999
