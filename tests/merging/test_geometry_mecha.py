"""Methods that sd-mecha has, too, where its maths is the same; where it differs, who is right."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import pytest
import torch

from kanna.tensor_math.rotation import rotate
from merge_calls import merged, noise

A, B, C, BASE = (noise(24, 10, seed=seed) for seed in (1, 2, 3, 4))


@pytest.fixture(scope="module")
def mecha() -> Any:
    """sd-mecha's methods, as the functions under their decorators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("sd_mecha")
        names = ("linear", "ties", "svd")
        home = "sd_mecha.extensions.builtin.merge_methods"
        modules = [import_module(f"{home}.{name}") for name in names]

    def function(name: str) -> Any:
        found = next(vars(one)[name] for one in modules if name in vars(one))
        return getattr(found, "__wrapped__", found)

    return function


def close(one: torch.Tensor, other: torch.Tensor, tolerance: float = 2e-6) -> None:
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9])
def test_slerp_with_mixed_lengths(mecha: Any, alpha: float) -> None:
    wanted = mecha("slerp")(A, 2 * B, torch.tensor(alpha))
    close(merged("slerp", A, 2 * B, alpha=alpha, length="mixed"), wanted)


def test_the_geometric_median(mecha: Any) -> None:
    """In fp64: in fp32 it ends where its objective stands still, far too early."""
    wanted = mecha("geometric_median")(A.double(), B.double(), C.double(), maxiter=1000)
    close(merged("geometric-median", A, B, C), wanted.float())


@pytest.mark.parametrize("vote", [True, False])
def test_ties_where_one_number_more_or_less_does_not_count(mecha: Any, *, vote: bool) -> None:
    """sd-mecha keeps one number more: asked for one less, it keeps as many."""
    models, k = (A, B, C), 0.25
    kept = int(k * A.numel())
    wanted = mecha("ties_sum")(*(m - BASE for m in models), k=(kept - 1) / A.numel(), vote_sgn=vote)
    consensus = "sum" if vote else "count"
    found = merged("ties", *models, base=BASE, density=[k] * 3, consensus=consensus)
    close(found, BASE + wanted)


def test_model_stock_of_two_vectors(mecha: Any) -> None:
    """It takes neighbours and rows where kanna takes all pairs: for two of one row no difference."""
    a, b, base = A[:1] + 1, B[:1] + 1, BASE[:1]
    wanted = mecha("model_stock")(a - base, b - base, cos_eps=1e-12)
    close(merged("model-stock", a, b, base=base), base + wanted)


@pytest.mark.filterwarnings("ignore:Casting complex values")
@pytest.mark.parametrize("alpha", [0.0, 0.4])
@pytest.mark.parametrize("alignment", [0.5, 1.0])
@pytest.mark.parametrize("shape", [(24, 10), (8, 5, 3, 3), (24, 10, 1, 1)])
def test_rotate(mecha: Any, shape: tuple[int, ...], alignment: float, alpha: float) -> None:
    a = noise(*shape, seed=1)
    b = a + 0.3 * noise(*shape, seed=2)
    wanted = mecha("rotate")({"k": a}, {"k": b}, alignment, torch.tensor(alpha), key="k")
    close(merged("rotate", a, b, alignment=alignment, alpha=alpha), wanted, 1e-4)


def test_rotate_of_wide_tensors_does_not_stretch(mecha: Any) -> None:
    """What sd-mecha makes of them is no rotation: it is farther from B, and of another length."""
    a = noise(6, 40, seed=1)
    b = a + noise(6, 40, seed=2)
    theirs = mecha("rotate")({"k": a}, {"k": b}, 1.0, torch.tensor(0.0), 0.0, key="k")
    ours = rotate(a, b, alignment=1.0, alpha=0.0, centre=0.0)
    close(ours.norm(), a.norm(), 1e-5)
    assert abs(float(theirs.norm() - a.norm())) > 0.1
    assert (ours - b).norm() < (theirs - b).norm()


def test_masks_of_two_models_differ(mecha: Any) -> None:
    """Without a seed sd-mecha's generator always begins at the same place."""
    drop = mecha("find_della_dropout")
    first = drop(A, torch.tensor(0.5), 0.0, torch.Generator())
    assert torch.equal(first, drop(A, torch.tensor(0.5), 0.0, torch.Generator()))
    ours = [merged("dare-linear", A, base=BASE, seed=seed) for seed in (0, 1)]
    assert not torch.equal(*ours)
