"""Methods whose numbers depend on one place alone, against their formulas and in pieces."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest
import torch

from kanna.merging.registry import methods
from merge_calls import merged, noise, numbers_of, viewed

ELEMENTWISE = [method.name for method in methods().values() if method.kind == "elementwise"]
A, B, C = (noise(37, 11, seed=seed, scale=0.03) for seed in (1, 2, 3))


def near(found: torch.Tensor, exact: torch.Tensor) -> bool:
    return torch.allclose(found.double(), exact.double(), rtol=1e-5, atol=1e-8)


def test_train_difference_weighs_what_is_learned_by_how_far_it_is() -> None:
    a, b, c = A.double(), B.double(), C.double()
    share = (b - a).abs() / ((b - c).abs() + (b - a).abs())
    exact = a + 1.8 * 0.7 * share * (b - c)
    assert near(merged("train-difference", A, B, base=C, alpha=0.7), exact)


def test_train_difference_changes_nothing_where_nothing_was_learned() -> None:
    """SuperMerger skips tensors that are equal in B and C; a place is as good as a tensor."""
    assert torch.equal(merged("train-difference", A, C, base=C), A)
    assert torch.equal(merged("train-difference", A, A, base=A), A)
    assert torch.equal(merged("train-difference", A, A, base=C), A)


def test_nearswap_is_the_quotient_without_dividing() -> None:
    a, b, t = A.double(), B.double(), 0.01
    share = (t / (a - b).abs()).clamp(0, 1)
    assert near(merged("nearswap", A, B, t=t), share * b + (1 - share) * a)
    assert torch.equal(merged("nearswap", A, A, t=0.0), A)
    assert torch.equal(merged("nearswap", A, B, t=0.0), A)
    assert torch.equal(merged("nearswap", A, B, t=1.0), B)


def test_clip_brings_numbers_between_the_bounds() -> None:
    model, a, b = torch.tensor([-3.0, 0, 3]), torch.tensor([1.0, 1, 1]), torch.tensor([2.0, -1, 2])
    assert merged("clip", model, a, b).tolist() == [1, 0, 2]
    assert merged("clip", model, b, a).tolist() == [1, 0, 2]
    assert torch.equal(merged("clip", C, A, A), A)


def test_the_geometric_mean_of_numbers_of_one_sign_has_their_sign() -> None:
    a, b = torch.tensor([4.0, -4, 0, 4, -4, 4]), torch.tensor([9.0, -9, 5, 0, 9, -9])
    assert near(merged("geometric", a, b), torch.tensor([6.0, -6, 0, 0, 0, 0]))
    third = merged("geometric", a, b, alpha=1 / 3)
    size = 4 ** (2 / 3) * 9 ** (1 / 3)
    assert near(third, size * torch.tensor([1.0, -1, 0, 0, -0.5, 0.5]))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_multiply_difference_multiplies_sizes_and_sums_signs(alpha: float) -> None:
    a, b, c = A.double(), B.double(), C.double()
    size = (a - c).abs() ** (1 - alpha) * (b - c).abs() ** alpha
    exact = c + torch.copysign(size, 0.6 * a + 0.4 * b - c)
    assert near(merged("multiply-difference", A, B, base=C, alpha=alpha, beta=0.4), exact)


def test_similarity_add_difference_is_a_sum_where_models_are_alike() -> None:
    a, b, c, alpha, beta = A.double(), B.double(), C.double(), 0.7, 0.8
    alike = beta * (a * b / torch.maximum(a.abs(), b.abs()) ** 2 + 1) / 2
    exact = (1 - alike) * (a + alpha * (b - c)) + alike * ((1 - alpha / 2) * a + alpha / 2 * b)
    found = merged("similarity-add-difference", A, B, base=C, alpha=alpha, beta=beta)
    assert near(found, exact)


def test_two_zeros_are_wholly_alike() -> None:
    zero, one = torch.zeros(3), torch.ones(3)
    found = merged("similarity-add-difference", zero, zero, base=one, alpha=1.0, beta=0.75)
    assert found.tolist() == [-0.25] * 3


def test_numbers_too_small_to_square_are_alike_still() -> None:
    tiny = torch.full((3,), 1e-30)
    found = merged("similarity-add-difference", tiny, tiny, base=torch.ones(3))
    assert torch.equal(found, tiny)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("train-difference", {"alpha": 0.0}), ("nearswap", {"t": 0.0}), ("geometric", {"alpha": 0.0}),
     ("similarity-add-difference", {"alpha": 0.0})],
)  # fmt: skip
def test_nothing_of_b_is_a(name: str, parameters: dict[str, Any]) -> None:
    base = C if "difference" in name else None
    found = merged(name, A, B, base=base, **parameters)
    assert torch.allclose(found, A, rtol=1e-6, atol=0)


def test_all_of_b_is_b() -> None:
    assert torch.allclose(merged("geometric", A, B, alpha=1.0), B, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_run_is_the_same_as_the_same_places_of_the_whole(name: str) -> None:
    method = methods()[name]
    tensors = [A, B, C][: method.models or 3]
    base: dict[str, Any] = {} if method.base == "none" else {"base": noise(37, 11, seed=9)}
    whole = merged(name, *tensors, **base)
    tensor = viewed(name, *tensors, **base)
    assert torch.equal(numbers_of(tensor), whole)
    pieces = bytearray(4 * A.numel())
    for start in range(0, len(pieces), 252):  # 63 numbers: no whole rows
        tensor.data.read_into(start, memoryview(pieces)[start : start + 252])
    assert torch.equal(torch.frombuffer(pieces, dtype=torch.float32).reshape(A.shape), whole)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_what_is_no_number_stays_none(name: str) -> None:
    """A damaged model must show in the output, where NaN is counted, not be covered up."""
    method = methods()[name]
    tensors = [torch.tensor([nan, 1.0])] + [torch.ones(2)] * ((method.models or 3) - 1)
    base: dict[str, Any] = {} if method.base == "none" else {"base": torch.zeros(2)}
    assert merged(name, *tensors, **base).isnan().tolist() == [True, False]
