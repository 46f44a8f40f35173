"""Methods that sd-mecha has, too, in the same maths."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import torch

from kanna.dtypes import FP16
from kanna.views.computed import summed
from merge_calls import held, merged, noise

A, B, C = (noise(37, 11, seed=seed, scale=0.03) for seed in (1, 2, 3))


Theirs = Callable[..., torch.Tensor]


@pytest.fixture(scope="module")
def mecha() -> Theirs:
    """Their functions themselves, without the graph around them; they may write to their inputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("sd_mecha")

    def call(room: str, name: str, *given: Any, **named: str) -> torch.Tensor:
        module = import_module(f"sd_mecha.extensions.builtin.merge_methods.{room}")
        copies = [one.clone() if isinstance(one, torch.Tensor) else one for one in given]
        made = getattr(module, name).__wrapped__(*copies, **named)
        assert isinstance(made, torch.Tensor)
        return made

    return call


def close(found: torch.Tensor, exact: torch.Tensor) -> bool:
    return torch.allclose(found, exact, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_geometric(mecha: Theirs, alpha: float) -> None:
    exact = mecha("linear", "geometric_sum", A, B, alpha)
    assert close(merged("geometric", A, B, alpha=alpha), exact)


def test_clip(mecha: Theirs) -> None:
    assert torch.equal(merged("clip", C, A, B), mecha("limiting", "clamp", C, A, B))


def test_train_difference(mecha: Theirs) -> None:
    share = mecha("linear", "train_difference_mask", A, B, C, torch.tensor(0.7))
    assert close(merged("train-difference", A, B, base=C, alpha=0.7), A + share * (B - C))


def test_perpendicular(mecha: Theirs) -> None:
    added = mecha("linear", "perpendicular_component", A - C, B - C)
    assert close(merged("add-perpendicular", A, B, base=C, alpha=0.7), A + 0.7 * added)


@pytest.mark.parametrize("shape", [(4,), (40, 7), (8, 5, 3, 3)])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.75), (1.0, 0.0)])
def test_tensor_sum(mecha: Theirs, shape: tuple[int, ...], alpha: float, beta: float) -> None:
    """Of whole rows: a part of one they round, and SuperMerger cuts it off."""
    a, b = noise(*shape, seed=1), noise(*shape, seed=2)
    exact = mecha("slicing", "tensor_sum", a, b, alpha, beta)
    assert torch.equal(merged("tensor-sum", a, b, alpha=alpha, beta=beta), exact)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.4, 0.0), (1.0, 0.0)])
def test_top_k_tensor_sum(mecha: Theirs, alpha: float, beta: float) -> None:
    """From the smallest on; elsewhere theirs takes the number before the first, too."""
    exact = mecha("slicing", "top_k_tensor_sum", A, B, alpha, beta)
    assert torch.equal(merged("top-k-tensor-sum", A, B, alpha=alpha, beta=beta), exact)


@pytest.mark.parametrize("shape", [(9,), (10,), (37, 11), (36, 10), (6, 5, 3, 3), (2, 3, 4, 5, 2)])
@pytest.mark.parametrize(("alpha", "tilt"), [(0.3, 0.0), (0.6, 0.0), (0.3, 0.5), (0.5, 1.0)])
def test_crossover(mecha: Theirs, shape: tuple[int, ...], alpha: float, tilt: float) -> None:
    a, b = noise(*shape, seed=1), noise(*shape, seed=2)
    exact = mecha("crossover", "crossover", a, b, alpha, tilt)
    found = merged("crossover", a, b, alpha=alpha, tilt=tilt)
    assert torch.allclose(found, exact, atol=2e-6)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.5, 0.95])
def test_weighted_sums_of_halves_are_rounded_as_well(mecha: Theirs, alpha: float) -> None:
    """Theirs is lerp in fp32, which is close to the exact sum."""
    first = noise(400, 500, seed=1, scale=0.03).half()
    second = (first.float() + noise(400, 500, seed=2, scale=0.003)).half()
    models = [{"w": one.float()} for one in (first, second)]
    theirs = mecha("linear", "weighted_sum", *models, torch.tensor(alpha), key="w").half()
    exact = ((1 - alpha) * first.double() + alpha * second.double()).half()
    sums = summed([held(first.float()), held(second.float())], [1 - alpha, alpha], FP16)
    ours = torch.frombuffer(bytearray(sums.read()), dtype=torch.float16).reshape(first.shape)
    wrong = [float((one != exact).double().mean()) for one in (ours, theirs)]
    assert wrong[0] <= max(0.012, wrong[1])
    assert (ours.float() - exact.float()).abs().max() <= 2**-14
