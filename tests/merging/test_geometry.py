"""Merging by angles, against the formulas written out, and where angles do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import acos, sin

import pytest
import torch

from kanna.tensor_math.exact import gram, mixed, sum_of
from kanna.tensor_math.geometry import (
    geometric_median,
    karcher,
    model_stock,
    multislerp,
    nuslerp,
    slerp,
)

Tensors = list[torch.Tensor]
SHAPES = [(), (4,), (3, 5), (2, 3, 3, 3), (0,), (3, 0)]


def drawn(*shape: int, count: int = 3, scale: float = 1.0) -> Tensors:
    generator = torch.Generator().manual_seed(sum(shape) + count)
    return [torch.randn(shape, generator=generator) * scale for _ in range(count)]


def arc(a: torch.Tensor, b: torch.Tensor, t: float) -> torch.Tensor:
    """The formula, on whole tensors in fp64."""
    x, y = a.double(), b.double()
    angle = acos(float((x * y).sum() / (x.norm() * y.norm())))
    return ((sin((1 - t) * angle) * x + sin(t * angle) * y) / sin(angle)).float()


def close(one: torch.Tensor, other: torch.Tensor, tolerance: float = 1e-6) -> None:
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.8])
def test_slerp_is_shoemakes_formula(alpha: float) -> None:
    a, b, _ = drawn(7, 9)
    close(slerp(a, b, alpha=alpha, threshold=1.0, length="kept"), arc(a, b, alpha))


def test_slerp_begins_and_ends_at_the_models_bit_for_bit() -> None:
    a, b, _ = drawn(7, 9)
    for length in ("kept", "mixed"):
        assert torch.equal(slerp(a, b, alpha=0.0, threshold=1.0, length=length), a)
    assert torch.equal(slerp(a, b, alpha=1.0, threshold=1.0, length="kept"), b)


def test_slerp_mixes_lengths_where_it_is_asked_to() -> None:
    a, b, _ = drawn(7, 9)
    found = slerp(a, 3 * b, alpha=0.25, threshold=1.0, length="mixed")
    close(found.norm(), 0.75 * a.norm() + 0.25 * 3 * b.norm(), 1e-5)
    close(torch.cosine_similarity(found.flatten(), arc(a / a.norm(), b / b.norm(), 0.25).flatten(), 0),
          torch.tensor(1.0))  # fmt: skip


def test_slerp_takes_the_straight_line_from_the_threshold_on() -> None:
    a, b, _ = drawn(40, 40)
    near = a + 0.01 * b
    straight = torch.lerp(a, near, 0.3)
    close(slerp(a, near, alpha=0.3, threshold=0.9995, length="kept"), straight, 1e-7)
    bent = slerp(a, near, alpha=0.3, threshold=1.0, length="kept")
    close(bent, arc(a, near, 0.3))
    assert bent.norm() > straight.norm()


def test_slerp_has_a_way_where_there_is_no_arc() -> None:
    a, _, _ = drawn(4)
    nothing = torch.zeros(4)
    for first, second in ((a, -a), (a, nothing), (nothing, a), (nothing, nothing), (a, a)):
        for length in ("kept", "mixed"):
            found = slerp(first, second, alpha=0.25, threshold=1.0, length=length)
            close(found, 0.75 * first + 0.25 * second)


def test_nuslerp_goes_by_the_second_models_share() -> None:
    a, b, base = drawn(6, 8)
    close(nuslerp(a, b, weights=[3, 1], rows=False), arc(a, b, 0.25))
    close(nuslerp(a, b, weights=[1, -1], rows=False), arc(a, b, 0.5))
    found = nuslerp(a, b, weights=[3, 1], rows=False, base=base)
    close(found, base + arc(a - base, b - base, 0.25))


def test_nuslerp_can_go_row_by_row_through_kernels_too() -> None:
    a, b, _ = drawn(5, 2, 3, 3)
    found = nuslerp(a, b, weights=[1, 1], rows=True)
    close(found, torch.stack([arc(x, y, 0.5) for x, y in zip(a, b, strict=True)]))
    vector, other, _ = drawn(6)
    assert torch.equal(
        nuslerp(vector, other, weights=[1, 1], rows=True),
        nuslerp(vector, other, weights=[1, 1], rows=False),
    )


def test_multislerp_averages_directions_and_lengths_apart() -> None:
    models, shares = drawn(6, 8), (0.5, 0.3, 0.2)
    mean = sum(share * x / x.norm() for share, x in zip(shares, models, strict=True))
    length = sum(share * x.norm() for share, x in zip(shares, models, strict=True))
    assert isinstance(mean, torch.Tensor)
    found = multislerp(*models, weights=[5, 3, 2])
    close(found, mean / mean.norm() * length)
    close(found.norm(), torch.as_tensor(length), 1e-5)


def test_multislerp_of_directions_that_cancel_out_is_the_mean() -> None:
    a, b, base = drawn(5)
    close(multislerp(a, -a, weights=[1, 1], base=None), torch.zeros(5))
    close(multislerp(a, -3 * a, weights=[1, 1]), -a)
    found = multislerp(base + b, base - b, base + a, base - a, weights=[1, 1, 1, 1], base=base)
    close(found, base)


def test_karcher_of_two_is_the_middle_of_their_arc() -> None:
    a, b, _ = drawn(7, 9)
    a, b = a / a.norm(), b / b.norm()
    close(karcher(a, b, weights=[1, 1]), arc(a, b, 0.5))
    close(karcher(a, b, weights=[3, 1]), arc(a, b, 0.25))


def test_at_the_karcher_mean_the_ways_to_all_models_cancel_out() -> None:
    models, weights = drawn(4, 3, count=4), [0.4, 0.3, 0.2, 0.1]
    mean = karcher(*models, weights=weights).double()
    mean /= mean.norm()
    total = torch.zeros_like(mean)
    for weight, model in zip(weights, models, strict=True):
        unit = model.double() / model.double().norm()
        cosine = float((mean * unit).sum())
        tangent = unit - cosine * mean
        total += weight * acos(cosine) * tangent / tangent.norm()
    assert total.norm() < 1e-6


def test_karcher_does_not_care_for_the_order() -> None:
    a, b, c = drawn(7, 9)
    close(karcher(a, b, c, weights=[1, 2, 3]), karcher(c, a, b, weights=[3, 1, 2]), 1e-7)


def test_model_stock_is_the_papers_formula() -> None:
    base, common, *models = drawn(20, 30, count=5)
    models = [base + common + 0.5 * model for model in models]
    deltas = [(model - base).double().flatten() for model in models]
    pairs = [(0, 1), (0, 2), (1, 2)]
    cosine = sum(torch.cosine_similarity(deltas[i], deltas[j], 0) for i, j in pairs) / 3
    t = 3 * cosine / (1 + 2 * cosine)
    mean = torch.stack(models).mean(0)
    close(model_stock(*models, base=base, rows=False), torch.lerp(base, mean, float(t)), 1e-5)


def test_model_stock_has_an_angle_for_each_row_if_asked() -> None:
    base, *models = drawn(6, 50)
    models = [base + 0.1 * (model + 1) for model in models]
    found = model_stock(*models, base=base, rows=True)
    for row in range(6):
        one = model_stock(*(model[row] for model in models), base=base[row], rows=False)
        close(found[row], one)


@pytest.mark.parametrize("scale", [1.0, 1e-5])
def test_model_stock_takes_small_differences_for_what_they_are(scale: float) -> None:
    """An absolute floor under norms (mergekit has 1e-6) makes small biases look unlike."""
    base, delta, _ = drawn(4, scale=scale)
    model = base + delta
    close(model_stock(model, model, base=base, rows=False), model, 1e-9)


def test_model_stock_stays_at_the_base_where_models_part() -> None:
    base, delta, _ = drawn(50)
    a, b = base + delta, base - delta
    close(model_stock(a, b, base=base, rows=False), base)
    # three that nearly cancel out: the formula has a pole near here
    c = base + 1e-3 * delta.flip(0)
    assert (model_stock(a, b, c, base=base, rows=False) - base).abs().max() < 1


def test_geometric_median_is_the_least_sum_of_distances() -> None:
    models, weights = drawn(3, 2, count=5), [1.0, 2.0, 1.0, 0.5, 0.5]

    def total(point: torch.Tensor) -> torch.Tensor:
        ways = [w * (point - m).double().norm() for w, m in zip(weights, models, strict=True)]
        return torch.stack(ways).sum()

    found = geometric_median(*models, weights=weights)
    least = total(found)
    for step in drawn(3, 2, count=40, scale=1e-2):
        assert total(found + step) > least


def test_geometric_median_is_not_dragged_by_a_broken_model() -> None:
    a, noise, other = drawn(30)
    close_ones = [a, a + 1e-3 * noise, a - 1e-3 * other]
    found = geometric_median(*close_ones, a + 1e4, weights=[1, 1, 1, 1])
    assert (found - a).abs().max() < 1e-2


def test_geometric_median_of_more_than_half_is_that_model() -> None:
    a, b, _ = drawn(30)
    close(geometric_median(a, a, a, b, weights=[1, 1, 1, 1]), a, 1e-5)


Merge = Callable[..., torch.Tensor]


def all_of_two() -> Iterator[Merge]:
    yield partial(slerp, alpha=0.3, threshold=1.0, length="kept")
    yield partial(slerp, alpha=0.3, threshold=1.0, length="mixed")
    for rows in (False, True):
        yield partial(nuslerp, weights=[0.4, 0.6], rows=rows)
    yield partial(multislerp, weights=[0.4, 0.6])
    yield partial(karcher, weights=[0.4, 0.6])
    yield partial(geometric_median, weights=[0.4, 0.6])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("merge", list(all_of_two()))
def test_every_shape_is_merged_and_equal_models_stay(merge: Merge, shape: tuple[int, ...]) -> None:
    a, b, _ = drawn(*shape)
    found = merge(a, b)
    assert found.shape == a.shape
    assert found.dtype is torch.float32
    assert found.isfinite().all()
    close(merge(a, a.clone()), a, 1e-6)
    nothing = torch.zeros(shape)
    assert torch.equal(merge(nothing, nothing), nothing)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [False, True])
def test_methods_with_a_base_take_every_shape(shape: tuple[int, ...], *, rows: bool) -> None:
    a, b, base = drawn(*shape)
    for merge in (
        partial(model_stock, rows=rows),
        partial(nuslerp, weights=[1, 1], rows=rows),
        partial(multislerp, weights=[1, 1]),
        partial(karcher, weights=[1, 1]),
    ):
        assert merge(a, b, base=base).isfinite().all()
        assert merge(a, b, base=base).shape == a.shape
        close(merge(base, base, base=base), base)
        close(merge(a, a, base=base), a)


@pytest.mark.parametrize("merge", [multislerp, karcher, geometric_median])
def test_a_model_of_weight_zero_has_no_say(merge: Merge) -> None:
    a, b, c = drawn(4, 3)
    close(merge(a, b, c, weights=[1, 2, 0]), merge(a, b, weights=[1, 2]))


def test_sums_are_the_same_on_any_number_of_threads() -> None:
    tensors = drawn(301, 1027)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append((gram(tensors), gram(tensors, rows=True), sum_of(tensors[0])))
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_sums_are_exact_to_the_last_places_of_fp64() -> None:
    a, b, c = (tensor.double() for tensor in drawn(300, 1000))
    found = gram([a.float(), b.float()], c.float())[0]
    wanted = torch.stack([(a - c).flatten(), (b - c).flatten()])
    torch.testing.assert_close(found, wanted @ wanted.T, rtol=1e-12, atol=0)
    out = mixed([a.float(), b.float()], torch.tensor([[0.25, 3.0]], dtype=torch.float64), c.float())
    assert torch.equal(out, (c + 0.25 * (a - c) + 3.0 * (b - c)).float())
