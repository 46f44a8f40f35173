"""Methods that are weighted sums: the weights, and what the kernel makes of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given as over
from hypothesis import strategies as st

from kanna.dtypes import FP16
from kanna.errors import UsageError
from kanna.merging.graph import Graph
from kanna.merging.method import Method
from kanna.merging.recipe import Compat, Recipe, Source, Step
from kanna.merging.registry import method_called
from kanna.merging.terms import as_output, as_tensor
from kanna.model import TensorInfo
from kanna.plan import Copy
from kanna.views.computed import summed
from merge_calls import Everywhere, held, merged, noise, number, numbers_of, weights

SHARES = st.floats(0, 1)


def made(
    method: str, *models: dict[str, TensorInfo], compat: Compat | None = None, base: bool = False,
    **parameters: Any,
) -> Graph:  # fmt: skip
    names = [f"m{index}" for index in range(len(models))]
    step = Step(name="x", method=method, models=tuple(names[: len(names) - base]),
                base=names[-1] if base else None,
                parameters={name: number(value) for name, value in parameters.items()})  # fmt: skip
    sources = {name: Source(path=name) for name in names}
    recipe = Recipe(sources=sources, steps=(step,), compat=compat)
    return Graph(recipe, dict(zip(names, models, strict=True)), Everywhere())


def values(graph: Graph, name: str = "w") -> torch.Tensor:
    found = graph.sum_of("x", name)
    assert found is not None
    return numbers_of(summed([as_tensor(found)], [1.0]))


@pytest.mark.parametrize(
    ("name", "count", "parameters", "wanted"),
    [
        ("weighted-sum", 2, {}, [0.5, 0.5]),
        ("weighted-sum", 2, {"alpha": 0.25}, [0.75, 0.25]),
        ("weighted-sum", 2, {"alpha": 1.5}, [-0.5, 1.5]),
        ("weighted-sum", 2, {"weights": [3.0, 1.0]}, [0.75, 0.25]),
        ("weighted-sum", 4, {}, [0.25] * 4),
        ("weighted-sum", 4, {"weights": [0.4, 0.3, 0.2, 0.1]}, [0.4, 0.3, 0.2, 0.1]),
        ("weighted-sum", 3, {"weights": [1.0, 1.0, -1.0]}, [1, 1, -1]),
        ("weighted-sum", 3, {"weights": [1.0, 0.5, 0.5], "normalize": False}, [1, 0.5, 0.5]),
        ("add-difference", 2, {}, [1, 1, -1]),
        ("add-difference", 2, {"alpha": 0.7}, [1, 0.7, -0.7]),
        ("sum-twice", 3, {"alpha": 0.25, "beta": 0.5}, [0.375, 0.125, 0.5]),
        ("triple-sum", 3, {"alpha": 0.25, "beta": 0.5}, [0.25, 0.25, 0.5]),
        ("weighted-subtraction", 2, {"alpha": 0.5, "beta": 0.5}, [4 / 3, -1 / 3]),
        ("task-arithmetic", 2, {}, [1, 1, -1]),
        ("task-arithmetic", 3, {"weights": [1.0, 0.5, 0.25], "scale": 2.0}, [2, 1, 0.5, -2.5]),
        ("task-arithmetic", 2, {"weights": [3.0, 1.0], "normalize": True}, [0.75, 0.25, 0]),
        ("self-scale", 1, {"alpha": 1.1}, [1.1]),
        ("copy", 1, {}, [1]),
    ],
)
def test_the_weights_are_those_of_the_formula(
    name: str, count: int, parameters: dict[str, Any], wanted: list[float]
) -> None:
    assert weights(name, count, **parameters) == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["weighted-sum", "task-arithmetic"])
def test_a_weight_of_nothing_is_a_weight(name: str) -> None:
    """mergekit-pytorch takes a weight of 0 for none given, and fails."""
    assert weights(name, 2, weights=[0.0, 1.0])[:2] == [0, 1]


@pytest.mark.parametrize(
    ("name", "count", "parameters", "key"),
    [
        ("weighted-sum", 3, {"alpha": 0.5}, "merge.alpha_for_two"),
        ("weighted-sum", 2, {"alpha": 0.5, "weights": [1.0, 1.0]}, "merge.alpha_for_two"),
        ("weighted-sum", 2, {"weights": [1.0, -1.0]}, "merge.weights_cancel"),
        ("weighted-sum", 3, {"weights": [1.0, 1.0]}, "merge.wrong_count"),
        ("weighted-sum", 2, {"alpha": 30.0}, "merge.parameter_range"),
        ("task-arithmetic", 1, {"weights": [0.0], "normalize": True}, "merge.weights_cancel"),
        ("weighted-subtraction", 2, {"alpha": 1.0}, "merge.nothing_left"),
    ],
)
def test_what_makes_no_sense_is_refused(
    name: str, count: int, parameters: dict[str, Any], key: str
) -> None:
    with pytest.raises(UsageError) as caught:
        weights(name, count, **parameters)
    assert caught.value.key == key


@over(SHARES, SHARES)
def test_what_sums_models_sums_to_one(alpha: float, beta: float) -> None:
    for name in ("sum-twice", "triple-sum"):
        assert sum(weights(name, 3, alpha=alpha, beta=beta)) == pytest.approx(1)
    assert sum(weights("task-arithmetic", 2, weights=[alpha, beta])) == pytest.approx(1)
    assert sum(weights("add-difference", 2, alpha=alpha)) == pytest.approx(1)


def test_sum_twice_is_two_sums() -> None:
    a, b, c = (noise(5, 4, seed=seed) for seed in (1, 2, 3))
    once = merged("weighted-sum", a, b, alpha=0.3)
    twice = merged("weighted-sum", once, c, alpha=0.6)
    assert torch.allclose(merged("sum-twice", a, b, c, alpha=0.3, beta=0.6), twice)


def test_weighted_subtraction_undoes_a_weighted_sum() -> None:
    a, b = noise(5, 4, seed=1), noise(5, 4, seed=2)
    mixed = merged("weighted-sum", a, b, alpha=0.4)
    back = merged("weighted-subtraction", mixed, b, alpha=0.4)
    assert torch.allclose(back, a, atol=1e-6)


def test_the_kernel_sums_any_number_of_models() -> None:
    tensors = [noise(30, 20, seed=seed) for seed in range(4)]
    shares = [0.4, 0.3, 0.2, 0.1]
    graph = made("weighted-sum", *({"w": held(one)} for one in tensors), weights=shares)
    exact = sum(share * one.double() for share, one in zip(shares, tensors, strict=True))
    assert isinstance(exact, torch.Tensor)
    assert torch.allclose(values(graph), exact.float(), atol=1e-6)


def test_task_arithmetic_takes_its_differences_from_the_base() -> None:
    one, two, base = (noise(6, 5, seed=seed) for seed in (1, 2, 3))
    graph = made("task-arithmetic", *({"w": held(t)} for t in (one, two, base)), base=True,
                 weights=[0.5, 0.25], scale=2.0)  # fmt: skip
    exact = base + (one - base) + 0.5 * (two - base)
    assert torch.allclose(values(graph), exact, atol=1e-6)


def test_a_copy_is_a_copy() -> None:
    found = made("copy", {"w": half(noise(4, 4))}).sum_of("x", "w")
    assert found is not None
    assert type(as_output("w", found, FP16, (4, 4)).op) is Copy


def half(tensor: torch.Tensor) -> TensorInfo:
    return summed([held(tensor)], [1.0], FP16)


def test_norms_and_what_ends_a_block_are_not_scaled() -> None:
    names = ("to_q.weight", "to_out.0.weight", "proj_out.weight", "norm1.weight")
    model = {name: held(torch.ones(3), name) for name in names}
    graph = made("self-scale", model, alpha=2.0)
    assert [float(values(graph, name)[0]) for name in names] == [2, 1, 1, 1]


@pytest.mark.parametrize("parameters", [{}, {"alpha": 0.3}, {"weights": [0.7, 0.3]}])
def test_a1111_rounds_every_product(parameters: dict[str, Any]) -> None:
    a, b = noise(50, 40, seed=1).half(), noise(50, 40, seed=2).half()
    graph = made("weighted-sum", {"w": half(a.float())}, {"w": half(b.float())}, compat="a1111",
                 **parameters)  # fmt: skip
    less, more = weights("weighted-sum", 2, **parameters)
    assert torch.equal(values(graph).half(), (less * a) + (more * b))


def test_aliases_are_the_spellings_of_other_programs() -> None:
    wanted = {"lerp": "weighted-sum", "mean": "weighted-sum", "add-diff": "add-difference",
              "no-interpolation": "copy", "passthrough": "copy", "self": "self-scale"}  # fmt: skip
    found: dict[str, Method] = {alias: method_called(alias) for alias in wanted}
    assert {alias: method.name for alias, method in found.items()} == wanted
