"""Sparse task vectors: by hand, against the formulas, by statistics, and on the smallest tensors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from kanna.merging.method import built_in
from kanna.tensor_math.sparsifying import at_random, by_magnitude, by_rank, largest, thinned
from merge_calls import merged, noise, numbers_of, viewed

NAMES = [
    "ties", "dare-linear", "dare-ties", "della-linear", "della", "breadcrumbs",
    "breadcrumbs-ties", "sce",
]  # fmt: skip
RANDOM = [name for name in NAMES if built_in()[name].random]
SHAPES = [(), (1,), (2,), (4,), (3, 5), (2, 3, 3, 3), (4, 1), (0,)]
BASE = noise(40, 50, scale=0.05)
MODELS = [BASE + noise(40, 50, seed=seed, scale=0.01 * seed) for seed in (2, 3, 4)]


def close(one: torch.Tensor, other: torch.Tensor, tolerance: float = 1e-6) -> None:
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of_rank(delta: torch.Tensor, first: int, last: int) -> torch.Tensor:
    """`delta` where its magnitude's rank, from the largest on, is in the range; by sorting."""
    order = delta.abs().flatten().sort(descending=True, stable=True).indices
    kept = torch.zeros(delta.numel())
    kept[order[first:last]] = 1
    return delta * kept.reshape(delta.shape)


def voted(deltas: torch.Tensor, weights: torch.Tensor, *, normalize: bool) -> torch.Tensor:
    """The elected mean of TIES, element by element as in the paper."""
    weighted = deltas * weights.reshape(-1, *[1] * (deltas.dim() - 1))
    agrees = weighted.sign() == weighted.sum(0).sign()
    total = (weighted * agrees).sum(0)
    share = (agrees * (weighted != 0) * weights.abs().reshape(-1, 1, 1)).sum(0)
    return total / share.where(share > 0, torch.tensor(1.0)) if normalize else total


def test_ties_by_hand() -> None:
    """Of four numbers each keeps two; the first place has no majority, the third has one."""
    base = torch.zeros(4)
    first, second, third = numbers(3, -1, 2, 0.5), numbers(-3, 0.1, 1, 2), numbers(0.5, 4, -2, 0.2)
    found = merged("ties", first, second, third, base=base, density=[0.5] * 3)
    # kept: (3, 0, 2, 0), (-3, 0, 0, 2), (0, 4, -2, 0)
    assert found.tolist() == [0, 4, 0, 2]
    heavier = merged("ties", first, second, third, base=base, density=[0.5] * 3, weights=[2, 1, 1])
    assert heavier.tolist() == [3, 4, 2, 2]
    assert merged("ties", first, second, third, base=base, density=[0.5] * 3, weights=[2, 1, 1],
                  normalize=False, scale=0.5).tolist() == [3, 2, 2, 1]  # fmt: skip


def test_the_majority_counts_models_where_it_is_asked_to() -> None:
    base = torch.zeros(1)
    models = [numbers(5), numbers(-1), numbers(-1)]
    assert merged("ties", *models, base=base, density=[1.0] * 3).tolist() == [5]
    by_count = merged("ties", *models, base=base, density=[1.0] * 3, consensus="count")
    assert by_count.tolist() == [-1]
    tie = merged("ties", *models[:2], base=base, density=[1.0] * 2, consensus="count")
    assert tie.tolist() == [0]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("density", [0.2, 0.5, 1.0])
def test_ties_is_trim_elect_merge(density: float, *, normalize: bool) -> None:
    weights = torch.tensor([1.0, 0.5, 0.7])
    trimmed = [of_rank(model - BASE, 0, int(density * BASE.numel())) for model in MODELS]
    exact = BASE + 0.8 * voted(torch.stack(trimmed), weights, normalize=normalize)
    close(merged("ties", *MODELS, base=BASE, density=[density] * 3, weights=weights.tolist(),
                 normalize=normalize, scale=0.8), exact)  # fmt: skip


def test_breadcrumbs_drop_both_ends() -> None:
    count = BASE.numel()
    middle = [of_rank(m - BASE, int(0.03 * count), int(0.03 * count) + int(0.6 * count))
              for m in MODELS]  # fmt: skip
    parameters: dict[str, Any] = {"density": [0.6] * 3, "gamma": 0.03, "weights": [1.0, 0.5, 0.7]}
    exact = BASE + middle[0] + 0.5 * middle[1] + 0.7 * middle[2]
    close(merged("breadcrumbs", *MODELS, base=BASE, **parameters), exact)
    exact = BASE + voted(torch.stack(middle), torch.tensor([1, 0.5, 0.7]), normalize=False)
    close(merged("breadcrumbs-ties", *MODELS, base=BASE, **parameters), exact)


def test_random_methods_are_the_formula_on_their_own_masks() -> None:
    """The masks are drawn again here, from the seeds that each model's tensor has."""
    from kanna.merging.computing import seed_of

    masks = [torch.rand(BASE.shape, generator=generator(seed_of(7, index, "w"))) < 0.3
             for index in range(3)]  # fmt: skip
    sparse = torch.stack([(m - BASE) * mask / 0.3 for m, mask in zip(MODELS, masks, strict=True)])
    weights = torch.tensor([0.5, 0.25, 0.25])
    parameters: dict[str, Any] = {"density": [0.3] * 3, "weights": weights.tolist(), "seed": 7}
    exact = BASE + (sparse * weights.reshape(3, 1, 1)).sum(0)
    close(merged("dare-linear", *MODELS, base=BASE, **parameters), exact)
    exact = BASE + voted(sparse, weights, normalize=False)
    close(merged("dare-ties", *MODELS, base=BASE, **parameters), exact)


def test_sce_is_select_calculate_erase() -> None:
    deltas = torch.stack([model - BASE for model in MODELS])
    spread = deltas.var(0, correction=0)
    kept = of_rank(spread, 0, int(0.4 * BASE.numel())) > 0
    deltas = deltas * kept
    energy = deltas.double().square().flatten(1).mean(1)
    shares = (energy / energy.sum()).float().reshape(3, 1, 1)
    agrees = deltas.sign() == deltas.sum(0).sign()
    share = (shares * agrees).sum(0)
    total = (deltas * shares * agrees).sum(0)
    exact = BASE + total / share.where(share > 0, torch.tensor(1.0))
    close(merged("sce", *MODELS, base=BASE, select=0.4), exact)


@pytest.mark.parametrize("count", [0, 1, 5, 12, 20])
def test_the_largest_are_as_many_as_asked_for_and_the_first_of_equals(count: int) -> None:
    sizes = torch.tensor([3.0, 1, 2, 2, 2, 5, 1, 4, 2, 2, 3, 5]).reshape(3, 4)
    order = sizes.flatten().sort(descending=True, stable=True).indices[:count]
    wanted = torch.zeros(12, dtype=torch.bool)
    wanted[order] = True
    assert torch.equal(largest(sizes, count).flatten(), wanted)


def test_the_largest_of_many_are_those_that_sorting_finds() -> None:
    sizes = noise(5000, seed=3).abs() * 10 ** noise(5000, seed=4, scale=9)
    sizes[::7] = 0
    for coarse in (sizes, sizes.half().float().nan_to_num(posinf=6e4)):
        order = coarse.sort(descending=True, stable=True).indices
        for count in (1, 2, 999, 2500, 4999):
            wanted = torch.zeros(5000, dtype=torch.bool)
            wanted[order[:count]] = True
            wanted &= coarse > 0
            assert torch.equal(largest(coarse, count) & (coarse > 0), wanted)


def test_nan_is_not_dropped_in_silence() -> None:
    delta = torch.tensor([1.0, float("nan"), 2.0, 0.1])
    kept = by_magnitude(delta, 0.5)
    assert thinned(delta, kept, "none").isnan().any()


def test_random_masks_keep_their_share_and_the_mean() -> None:
    size, density = 200_000, 0.3
    delta = noise(size, seed=9) + 0.5
    kept = at_random(delta, density, generator())
    spread = (density * (1 - density) / size) ** 0.5
    assert abs(float(kept[0].float().mean()) - density) < 5 * spread
    scaled = thinned(delta, kept, "1/p")
    variance = float(delta.square().mean()) * (1 - density) / density / size
    assert abs(float(scaled.mean() - delta.mean())) < 5 * variance**0.5
    plain = thinned(delta, kept, "l1")
    close(plain.abs().sum(), delta.abs().sum(), 1e-4)
    assert torch.equal(thinned(delta, kept, "none"), delta * kept[0])


def test_della_keeps_large_numbers_more_often_row_by_row() -> None:
    rows = noise(2000, 100, seed=5)
    rows[1000:] *= 100  # a rank over all would keep these rows rather than those
    where, chance = by_rank(rows, 0.4, 0.15, generator())
    assert isinstance(chance, torch.Tensor)
    order = rows.abs().argsort(1)
    rates = where.gather(1, order).float().mean(0)
    wanted = torch.linspace(0.25, 0.55, 100)
    assert ((rates - wanted).abs() < 5 * (wanted * (1 - wanted) / 2000).sqrt()).all()
    close(chance.gather(1, order), wanted.expand_as(rows))
    assert abs(float(where[:1000].float().mean() - where[1000:].float().mean())) < 0.01
    mean = float(thinned(rows[:1000], (where[:1000], chance[:1000]), "1/p").mean())
    assert abs(mean - float(rows[:1000].mean())) < 5 * (1.6 / 100_000) ** 0.5


def test_della_ranks_all_inputs_of_an_output_together() -> None:
    kernels = noise(3, 4, 2, 2)
    whole = by_rank(kernels, 0.5, 0.2, generator())[1]
    flat = by_rank(kernels.reshape(3, 16), 0.5, 0.2, generator())[1]
    assert isinstance(whole, torch.Tensor)
    assert isinstance(flat, torch.Tensor)
    assert torch.equal(whole.reshape(3, 16), flat)


@pytest.mark.parametrize("density", [0.0, 0.05, 0.95, 1.0])
def test_dellas_spread_fits_the_density(density: float) -> None:
    """mergekit refuses a density within epsilon of 0 or 1."""
    delta = noise(100, 1000)
    where, chance = by_rank(delta, density, 0.15, generator())
    assert isinstance(chance, torch.Tensor)
    assert 0 <= float(chance.min()) <= float(chance.max()) <= 1
    assert abs(float(where.float().mean()) - density) < 0.005


def test_a_bias_of_four_numbers_is_merged() -> None:
    """mergekit's magnitude failed on out.2.bias, and breadcrumbs zeroed its difference."""
    base = numbers(1, 1, 1, 1)
    first, second = base + numbers(0.5, -1, 0.2, 0.1), base + numbers(0.5, 1, -2, 0)
    found = merged("ties", first, second, base=base, density=[0.2, 0.2])
    assert found.tolist() == [1, 0, -1, 1]
    crumbs = merged("breadcrumbs", first, base=base, density=[0.9], gamma=0.01, weights=[1.0])
    close(crumbs, numbers(1.5, 0, 1.2, 1))
    assert merged("breadcrumbs", base + 1, base=base, density=[0.1]).ne(base).sum() == 1


def test_sce_selects_nothing_without_another_dimension() -> None:
    """mergekit returned (2, 4, 4) for (4, 4) where nothing or all was selected."""
    a, b, base = (noise(4, 4, seed=seed) for seed in (1, 2, 3))
    assert torch.equal(merged("sce", a, b, base=base, select=0.0), base)
    assert merged("sce", a, b, base=base, select=1.0).shape == (4, 4)
    close(merged("sce", a, a, base=base, select=1.0), a)


def test_a_weight_of_zero_is_a_weight() -> None:
    """In mergekit's merges of plain files 0 counted as missing."""
    for name in NAMES:
        if name != "sce":
            found = merged(name, *MODELS, base=BASE, weights=[1.0, 0.0, 0.5])
            assert found.isfinite().all()
            gone = merged(name, MODELS[0], BASE, MODELS[2], base=BASE, weights=[1.0, 0.0, 0.5])
            close(found, gone)
            assert torch.equal(merged(name, *MODELS, base=BASE, weights=[0.0] * 3), BASE)


def test_a_negative_weight_takes_away() -> None:
    for name in ("ties", "breadcrumbs"):
        found = merged(name, MODELS[0], base=BASE, weights=[-0.5], density=[1.0], normalize=False)
        close(found, BASE - 0.5 * (MODELS[0] - BASE))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_every_shape_is_merged(name: str, shape: tuple[int, ...]) -> None:
    base, a, b = (noise(*shape, seed=seed) for seed in (1, 2, 3))
    for seed in range(3):
        found = merged(name, a, b, base=base, seed=seed)
        assert found.shape == torch.Size(shape)
        assert found.dtype is torch.float32
        assert found.isfinite().all()
    same = merged(name, base, base.clone(), base=base)
    assert torch.equal(same, base)


@pytest.mark.parametrize("rescale", ["none", "1/p", "l1"])
@pytest.mark.parametrize("density", [0.0, 1.0])
def test_nothing_or_all_is_kept(density: float, rescale: str) -> None:
    for name in NAMES[:-1]:
        found = merged(name, MODELS[0], base=BASE, density=[density], rescale=rescale)
        close(found, MODELS[0] if density else BASE)


def test_density_can_differ_from_model_to_model() -> None:
    found = merged("breadcrumbs", *MODELS, base=BASE, density=[1.0, 0.0, 0.0])
    close(found, MODELS[0])


def test_what_is_given_is_not_changed() -> None:
    before = [tensor.clone() for tensor in (BASE, *MODELS)]
    for name in NAMES:
        merged(name, *MODELS, base=BASE)
    assert all(map(torch.equal, before, (BASE, *MODELS)))


@pytest.mark.parametrize("name", RANDOM)
def test_chance_depends_on_seed_model_and_name_alone(name: str) -> None:
    """mergekit's generator is shared by all tensors; sd-mecha's by all of one shape."""
    one = viewed(name, *MODELS, base=BASE, key="a", seed=1)
    other = viewed(name, *MODELS, base=BASE, key="b", seed=1)
    second, first, again = numbers_of(other), numbers_of(one), numbers_of(other)
    assert torch.equal(second, again)
    assert torch.equal(first, merged(name, *MODELS, base=BASE, key="a", seed=1))
    changed = [(tensor != BASE) for tensor in (first, second)]
    assert not torch.equal(*changed)
    assert not torch.equal(first, merged(name, *MODELS, base=BASE, key="a", seed=2))
    twins = merged("dare-linear", MODELS[0], MODELS[0], base=BASE, weights=[1.0, -1.0])
    assert not torch.equal(twins, BASE)  # each model has a mask of its own
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.equal(first, numbers_of(one))
    finally:
        torch.set_num_threads(threads)
