"""Methods that look at rows, columns, neighbours or frequencies, against their formulas."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

from kanna.merging.computing import Measuring
from kanna.merging.graph import Graph
from kanna.merging.recipe import Recipe, Source, Step, Weight
from kanna.merging.registry import method_called
from kanna.model import TensorInfo
from kanna.tensor_math import smoothing
from merge_calls import Everywhere, held, merged, noise, numbers_of, viewed

ndimage = import_module("scipy.ndimage")  # has no types

A, B, C = (noise(37, 11, seed=seed, scale=0.03) for seed in (1, 2, 3))
CONVOLUTIONS = tuple(noise(6, 5, 3, 3, seed=seed, scale=0.03) for seed in (1, 2, 3))
SHAPES = [(1,), (2,), (4,), (5, 1), (1, 7), (6, 5), (3, 4, 5), (6, 5, 3, 3), (2, 3, 2, 3, 2)]


def near(found: torch.Tensor, exact: torch.Tensor | np.ndarray) -> bool:
    return torch.allclose(found.double(), torch.as_tensor(exact).double(), rtol=1e-5, atol=1e-8)


def unit(tensor: torch.Tensor) -> torch.Tensor:
    return tensor / tensor.square().sum().sqrt()


# Euclidean add difference, perpendicular, extract


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_euclidean_add_difference(alpha: float) -> None:
    a, b, c = A.double(), B.double(), C.double()
    total = (1 - alpha) * a + alpha * b - c
    distance = ((1 - alpha) * unit(a - c) ** 2 + alpha * unit(b - c) ** 2).sqrt()
    exact = c + unit(torch.copysign(distance, total)) * torch.linalg.vector_norm(total)
    assert near(merged("euclidean-add-difference", A, B, base=C, alpha=alpha), exact)


def test_euclidean_add_difference_of_one_model_is_that_model() -> None:
    assert near(merged("euclidean-add-difference", A, A, base=C), A)
    assert near(merged("euclidean-add-difference", A, B, base=C, alpha=0.0), A)
    assert torch.equal(merged("euclidean-add-difference", C, C, base=C), C)


def test_a_model_that_learned_nothing_leaves_the_direction_to_the_other() -> None:
    found = merged("euclidean-add-difference", A, C, base=C, alpha=0.25)
    assert near(found, C + 0.75 * (A - C))


def test_perpendicular_adds_what_is_orthogonal() -> None:
    found = (merged("add-perpendicular", A, B, base=C) - A).double()
    own, other = (A - C).double(), (B - C).double()
    assert abs(float((found * own).sum())) < 1e-6
    assert near(found, other - own * float((own * other).sum() / (own * own).sum()))
    assert torch.allclose(merged("add-perpendicular", C, B, base=C), B)


@pytest.mark.parametrize("tensors", [(A, B, C), CONVOLUTIONS, (A[0], B[0], C[0])])
@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0])
def test_extract(tensors: tuple[torch.Tensor, ...], beta: float) -> None:
    one, two, base = (tensor.double() for tensor in tensors)
    x, y = one - base, two - base
    cosine = torch.nn.functional.cosine_similarity(x, y, -1).unsqueeze(-1)
    alike = ((cosine + 1) / 2) ** 3
    exact = base + (0.6 * x + 0.4 * y) * (alike + beta * (1 - 2 * alike))
    found = merged("extract", *tensors[:2], base=tensors[2], alpha=0.4, beta=beta, gamma=3.0)
    assert near(found, exact)


def test_what_all_rows_have_in_common_is_extracted_whole() -> None:
    assert near(merged("extract", A, A, base=C), A)
    assert near(merged("extract", A, A, base=C, beta=1.0), C)
    assert near(merged("extract", C, C, base=C), C)


# Smooth add difference


@pytest.mark.parametrize("shape", [*SHAPES, (40, 33, 1, 1), (18, 17, 3, 3), (200, 300)])
def test_smoothing_is_that_of_scipy_bit_for_bit(shape: tuple[int, ...]) -> None:
    difference, zero = noise(*shape), torch.zeros(shape)
    exact = ndimage.gaussian_filter(ndimage.median_filter(difference.numpy(), size=3), sigma=1)
    found = merged("smooth-add-difference", zero, difference, base=zero)
    assert np.array_equal(found.numpy(), exact)


def test_smoothing_in_small_parts_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one, base = noise(18, 17, 3, 3), noise(18, 17, 3, 3, seed=2)
    whole = merged("smooth-add-difference", base, one, base=base)
    monkeypatch.setattr(smoothing, "_PLACES", 100)
    monkeypatch.setattr(smoothing, "_NUMBERS", 40)
    assert torch.equal(merged("smooth-add-difference", base, one, base=base), whole)


def test_a_peak_that_stands_alone_is_left_out() -> None:
    base, one = torch.zeros(9, 9), torch.zeros(9, 9)
    one[4, 4] = 5
    assert torch.equal(merged("smooth-add-difference", base, one, base=base), base)
    level = base + 0.5
    assert torch.allclose(merged("smooth-add-difference", base, level, base=base, alpha=2.0),
                          torch.ones(9, 9))  # fmt: skip


# Cosine


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    sizes = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    found: np.ndarray = (a * b).sum(0) / sizes
    return found


def likeness(name: str, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is measured, and what counts, as SuperMerger has it."""
    if name == "cosine-a":
        a, b = (one / np.sqrt((one * one).sum(0)) for one in (a, b))
    whole = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
    both = (cosine(a, b) + whole) / 2
    return (cosine(a, b) if name == "cosine-a" else both), both


def limits(found: np.ndarray) -> tuple[float, float]:
    for share, keeps in ((1, np.greater_equal), (99, np.less_equal)):
        found = found[keeps(found, np.percentile(found, share, method="midpoint"))]
    return float(found.min()), float(found.max())


@pytest.mark.parametrize("name", ["cosine-a", "cosine-b"])
def test_cosine_stretches_the_similarities_of_all_tensors(name: str) -> None:
    shapes = {"w": (7, 150), "conv": (5, 4, 3, 3), "bias": (6,), "v": (9, 40)}
    models = [{key: noise(*shape, seed=seed) for key, shape in shapes.items()} for seed in (1, 2)]
    for key in shapes:
        models[1][key] = 0.6 * models[0][key] + 0.4 * models[1][key]
    graph = graph_of(name, models, tuple(shapes), alpha=0.1)
    found = {key: graph.sum_of("x", key) for key in shapes}
    (measuring,) = graph.measurements
    measuring.run(lambda _: None)
    pairs = {key: [model[key].double().numpy() for model in models] for key in shapes}
    said = np.concatenate([np.ravel(likeness(name, *pair)[0]) for pair in pairs.values()])
    least, most = limits(said)
    for key, (a, b) in pairs.items():
        share = ((likeness(name, a, b)[1] - least) / (most - least) - 0.1).clip(0, 1)
        (term,) = found[key] or ()
        assert np.allclose(numbers_of(term.tensor).numpy(), share * a + (1 - share) * b, atol=1e-5)


def graph_of(
    name: str, models: list[dict[str, torch.Tensor]], measured: tuple[str, ...], alpha: float
) -> Graph:
    step = Step(name="x", method=name, models=("a", "b"), parameters={"alpha": Weight(value=alpha)})
    recipe = Recipe(sources={"a": Source(), "b": Source()}, steps=(step,))
    tensors: list[dict[str, TensorInfo]] = [
        {key: held(one, key) for key, one in model.items()} for model in models
    ]
    models_by_name = dict(zip("ab", tensors, strict=True))
    return Graph(recipe, models_by_name, Everywhere(), measured_names=measured)


@pytest.mark.parametrize("name", ["cosine-a", "cosine-b"])
def test_cosine_makes_no_nan(name: str) -> None:
    """SuperMerger divides by zero where two models, or two tensors of zeros, are the same."""
    assert torch.equal(merged(name, A, A), A)
    assert merged(name, torch.zeros(3, 4), torch.zeros(3, 4)).tolist() == [[0.0] * 4] * 3
    gap = A.clone()
    gap[:, 3] = 0
    assert merged(name, gap, B).isfinite().all()


def test_nothing_is_measured_of_no_tensors() -> None:
    measuring = Measuring(method_called("cosine-a"))
    measuring.run(lambda _: None)
    assert measuring.result() == (0.0, 0.0)


# Tensor sum


@pytest.mark.parametrize(
    ("alpha", "beta", "rows"),
    [(0.0, 0.0, ""), (1.0, 0.0, "0123456789"), (0.3, 0.0, "012"), (0.3, 0.5, "567"),
     (0.5, 0.8, "01289"), (0.7, 0.1, "1234567"), (0.25, 0.0, "01"), (1.0, 1.0, "0123456789")],
)  # fmt: skip
def test_tensor_sum_takes_rows_and_goes_on_at_the_first(
    alpha: float, beta: float, rows: str
) -> None:
    a, b = torch.zeros(10, 3), torch.ones(10, 3)
    found = merged("tensor-sum", a, b, alpha=alpha, beta=beta)
    assert "".join(str(row) for row in range(10) if found[row].all()) == rows
    assert found.sum() == 3 * len(rows)
    assert not a.any()


def test_columns_are_taken_of_wide_tensors_alone() -> None:
    """SuperMerger cuts the columns of narrow ones, too, by a count of their rows."""
    wide = merged("tensor-sum", torch.zeros(4, 200), torch.ones(4, 200), along="columns")
    assert torch.equal(wide[:, :100], torch.ones(4, 100))
    assert not wide[:, 100:].any()
    narrow = merged("tensor-sum", torch.zeros(4, 100), torch.ones(4, 100), along="columns")
    assert torch.equal(narrow[:2], torch.ones(2, 100))
    assert not narrow[2:].any()


# Top-k tensor sum, crossovers


def test_top_k_deals_out_the_numbers_in_the_order_of_the_other() -> None:
    a, b = torch.tensor([5.0, -1, 3, 2]), torch.tensor([1.0, 4, 3, 2])
    assert merged("top-k-tensor-sum", a, b, alpha=1.0).tolist() == [-1, 5, 3, 2]
    assert torch.equal(merged("top-k-tensor-sum", a, b, alpha=0.0, beta=0.5), a)
    # The two smallest magnitudes, -1 and 2, go to the least two of b; 5 and 3 are not dealt.
    assert merged("top-k-tensor-sum", a, b, alpha=0.5).tolist() == [-1, -1, 3, 2]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("alpha", "beta"), [(0.3, 0.2), (0.5, 0.75), (0.9, 0.0)])
def test_top_k_by_counting(seed: int, alpha: float, beta: float) -> None:
    a, b = noise(6, 7, seed=seed), noise(6, 7, seed=seed + 9)
    values = sorted(a.flatten().tolist())
    by_size = sorted(values, key=abs)
    count = len(values)
    places = {place % count for place in range(round(beta * count), round((alpha + beta) * count))}
    chosen = {by_size[place] for place in places}
    exact = a.flatten().tolist()
    for value, place in zip(values, b.flatten().argsort().tolist(), strict=True):
        if value in chosen:
            exact[place] = value
    assert merged("top-k-tensor-sum", a, b, alpha=alpha, beta=beta).flatten().tolist() == exact


@pytest.mark.parametrize("shape", [(5,), (6,), (37, 11), (6, 5, 3, 3)])
@pytest.mark.parametrize(("alpha", "beta"), [(0.4, 0.0), (0.4, 0.3), (0.9, 1.0)])
def test_distribution_crossover(shape: tuple[int, ...], alpha: float, beta: float) -> None:
    a, b, c = (noise(*shape, seed=seed).double().numpy() for seed in (1, 2, 3))
    order = c.ravel().argsort(kind="stable")
    waves = [np.fft.rfft(one.ravel()[order]) for one in (a, b)]
    place = np.arange(len(waves[0])) / len(waves[0])
    share = ((place - alpha) / beta + 0.5).clip(0, 1) if beta else (place >= alpha) * 1.0
    exact = np.empty(order.size)
    exact[order] = np.fft.irfft((1 - share) * waves[0] + share * waves[1], order.size)
    tensors = [torch.tensor(one).float() for one in (a, b)]
    found = merged("distribution-crossover", *tensors, base=torch.tensor(c).float(), alpha=alpha,
                   beta=beta)  # fmt: skip
    assert np.allclose(found.numpy(), exact.reshape(shape), atol=2e-6)


def test_the_ends_of_a_crossover_are_the_models() -> None:
    for shape in SHAPES:
        a, b, c = (noise(*shape, seed=seed) for seed in (1, 2, 3))
        assert torch.equal(merged("distribution-crossover", a, b, base=c, alpha=1.0), a)
        assert torch.allclose(merged("distribution-crossover", a, b, base=c, alpha=0.0), b,
                              atol=1e-6)  # fmt: skip
        assert torch.equal(merged("crossover", a, b, alpha=0.0), a)
        assert torch.allclose(merged("crossover", a, b, alpha=1.0), b, atol=1e-6)


def test_models_that_are_one_cross_over_exactly() -> None:
    assert torch.equal(merged("distribution-crossover", A, A, base=C, beta=0.5), A)
    assert torch.equal(merged("crossover", A, A, tilt=0.5), A)


# Noise


def test_noise_has_the_size_that_is_asked_for() -> None:
    found = merged("plus-random", torch.zeros(300, 300), alpha=0.25)
    assert float(found.std()) == pytest.approx(0.25, rel=0.01)
    assert abs(float(found.mean())) < 0.003


def test_noise_depends_on_the_seed_and_the_name_alone() -> None:
    """sd-mecha gives all tensors of one shape the same; mergekit's depend on their order."""

    def drawn(key: str, **given: Any) -> list[float]:
        return merged("plus-random", torch.zeros(20), key=key, **given).tolist()

    first = drawn("a.weight")
    assert drawn("b.weight") != first
    assert drawn("a.weight") == first
    assert drawn("a.weight", seed=1) != first
    assert numbers_of(viewed("plus-random", torch.zeros(20), key="a.weight")).tolist() == first
