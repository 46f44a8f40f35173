"""Narrow factors of matrices: against torch's whole decomposition, and by what they claim."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanna.lora.ranks import Ranks
from kanna.tensor_math.low_rank import (
    clamped,
    factored,
    factored_product,
    squared_distance,
    squared_norm,
    squared_product_distance,
)


def matrix_of(rows: int, columns: int, values: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Return a matrix with these singular values and random singular vectors."""
    generator = torch.Generator().manual_seed(seed)
    left, right = (
        torch.linalg.qr(torch.randn(n, len(values), generator=generator, dtype=torch.float64))[0]
        for n in (rows, columns)
    )
    made: torch.Tensor = left * values.double() @ right.T
    return made.float()


def best(matrix: torch.Tensor, rank: int) -> float:
    """Return the least possible squared error at `rank` (Eckart-Young)."""
    return float(torch.linalg.svdvals(matrix.double())[rank:].square().sum())


SPECTRA = {
    "slow": 1 / torch.arange(1, 601) ** 0.5,
    "fast": 0.8 ** torch.arange(600),
    "flat": torch.ones(600),
    "step": torch.cat([torch.full((20,), 5.0), torch.full((580,), 0.3)]),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("rank", [1, 8, 40])
def test_a_sketch_is_nearly_as_good_as_the_whole_decomposition(name: str, rank: int) -> None:
    matrix = matrix_of(600, 900, SPECTRA[name])
    made = factored(matrix, Ranks(most=rank).choose, rank, seed=3)
    error = squared_distance(matrix, made.left, made.right)
    assert not made.spectrum.complete  # it was a sketch
    assert made.rank == rank
    # fp32 leaves 1e-7 of the whole, which is more than the fast spectrum's rest at rank 40
    least = best(matrix, rank)
    assert least * (1 - 1e-6) - 1e-9 <= error <= 1.01 * least + 1e-12 * rank
    assert made.spectrum.squares == pytest.approx(float(matrix.double().square().sum()), rel=1e-12)


def test_what_the_values_leave_out_is_what_is_missing() -> None:
    matrix = matrix_of(500, 700, SPECTRA["slow"][:500])
    made = factored(matrix, Ranks(most=16).choose, 16)
    kept = sum(value**2 for value in made.spectrum.values[: made.rank])
    missing = squared_distance(matrix, made.left, made.right)
    assert made.spectrum.squares - kept == pytest.approx(missing, rel=1e-5)


@pytest.mark.parametrize("shape", [(300, 700), (700, 300), (64, 48)])
def test_a_matrix_of_low_rank_comes_back(shape: tuple[int, int]) -> None:
    matrix = matrix_of(*shape, torch.tensor([3.0, 2.0, 1.0, 0.5]))
    made = factored(matrix, Ranks(most=4).choose, 4)
    assert sqrt(squared_distance(matrix, made.left, made.right) / squared_norm(matrix)) < 1e-6


def test_the_same_seed_makes_the_same_factors_and_another_does_not() -> None:
    matrix = matrix_of(400, 500, SPECTRA["slow"][:400])
    one, same, other = (factored(matrix, Ranks(most=8).choose, 8, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.left, same.left)
    assert torch.equal(one.right, same.right)
    assert not torch.equal(one.left, other.left)


def test_the_sketch_grows_until_the_choice_is_met() -> None:
    matrix = matrix_of(900, 1000, 1 / torch.arange(1, 901))
    goal = 0.99
    values = torch.linalg.svdvals(matrix.double())
    share = (values.square().cumsum(0) / values.square().sum()).sqrt()
    by_hand = int((share < goal).sum()) + 1
    made = factored(matrix, Ranks(method="frobenius", value=goal, most=200).choose, 200)
    assert by_hand > 16  # more than the first sketch has
    assert made.rank == by_hand
    missing = squared_distance(matrix, made.left, made.right) / squared_norm(matrix)
    assert sqrt(1 - missing) >= goal - 1e-6


def test_the_sum_of_all_values_is_known_where_it_is_wanted() -> None:
    matrix = matrix_of(500, 600, 1 / torch.arange(1, 501) ** 2)
    ranks = Ranks(method="cumulative", value=0.9, most=100)
    made = factored(matrix, ranks.choose, 100, with_total=True)
    values = torch.linalg.svdvals(matrix.double())
    assert not made.spectrum.complete
    assert made.spectrum.total == pytest.approx(float(values.sum()), rel=1e-5)
    assert made.rank == int((values.cumsum(0) / values.sum() < 0.9).sum()) + 1


def test_both_factors_bear_the_roots_of_the_values() -> None:
    matrix = matrix_of(40, 50, torch.tensor([9.0, 4.0, 1.0]))
    made = factored(matrix, Ranks(most=3).choose, 3)
    expected = torch.tensor([3.0, 2.0, 1.0])
    assert torch.allclose(made.left.norm(dim=0), expected, atol=1e-5)
    assert torch.allclose(made.right.norm(dim=1), expected, atol=1e-5)


numbers = st.integers(1, 12)


@given(
    rows=numbers, inner=numbers, columns=numbers, rank=st.integers(1, 14), seed=st.integers(0, 9)
)
def test_products_are_cut_as_well_as_can_be(
    rows: int, inner: int, columns: int, rank: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(rows, inner, generator=generator)
    right = torch.randn(inner, columns, generator=generator)
    made = factored_product(left, right, Ranks(most=rank).choose, rank)
    whole = left.double() @ right.double()
    error = float((whole - made.left @ made.right).square().sum())
    assert error == pytest.approx(best(whole, rank), rel=1e-6, abs=1e-20)
    told = squared_product_distance(left, right, made.left, made.right)
    assert told == pytest.approx(error, rel=1e-6, abs=1e-20)


def test_products_are_never_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    svd = torch.linalg.svd

    def watched(matrix: torch.Tensor, **given: Any) -> Any:
        sizes.append(matrix.numel())
        return svd(matrix, **given)

    monkeypatch.setattr(torch.linalg, "svd", watched)
    factored_product(torch.randn(5000, 3), torch.randn(3, 4000), Ranks(most=2).choose, 2)
    assert sizes == [9]


def test_the_distance_counts_what_storing_rounds() -> None:
    matrix = matrix_of(300, 300, torch.tensor([3.0, 2.0, 1.0]))
    made = factored(matrix, Ranks(most=3).choose, 3)
    left, right = made.left.half(), made.right.half()
    by_hand = float((matrix.double() - left.double() @ right.double()).square().sum())
    assert squared_distance(matrix, left, right) == pytest.approx(by_hand, rel=1e-3)


def test_a_quantile_clips_both_factors() -> None:
    left, right = torch.arange(50.0).reshape(25, 2), torch.arange(50.0, 100.0).reshape(2, 25)
    low, high = clamped(left, -right, 0.9)
    # of the numbers -99 ... 49 the 90th of 100 is 39
    assert float(low.max()) == 39
    assert float(high.min()) == -39
    assert torch.equal(low[left <= 39], left[left <= 39])
