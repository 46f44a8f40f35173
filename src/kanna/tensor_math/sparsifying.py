"""Which numbers of a difference are kept, and what the others' share is given back by.

Sources: TIES (arXiv 2306.01708), DARE (2311.03099), DELLA (2406.11617), Model Breadcrumbs
(2312.06795); arcee-ai/mergekit mergekit/sparsify.py for the counts.
"""

from __future__ import annotations

import torch

from kanna.tensor_math.exact import sum_of

# The upper halves of floats without a sign.
_UPPER = 2**15

# What is kept, and with which probability each number was.
Kept = tuple[torch.Tensor, torch.Tensor | float]


def largest(sizes: torch.Tensor, count: int) -> torch.Tensor:
    """Return where the `count` largest of `sizes` are; of equal ones the first are taken.

    Zeros need not be among them.
    """
    flat = sizes.reshape(-1)
    if count >= flat.numel():
        return torch.ones_like(sizes, dtype=torch.bool)
    if count <= 0:
        return torch.zeros_like(sizes, dtype=torch.bool)
    limit = _size_of_rank(flat, count)
    kept = ~(flat <= limit)  # NaN stays, to be seen
    left = count - int(kept.sum())
    if left > 0 and limit > 0:
        kept[(flat == limit).nonzero().reshape(-1)[:left]] = True
    return kept.reshape(sizes.shape)


def by_magnitude(delta: torch.Tensor, density: float, gamma: float = 0.0) -> Kept:
    """Keep a `density` of the numbers, the largest but for the share `gamma` of outliers.

    At least one is kept. Where fewer are left than to be kept, fewer outliers are dropped.
    """
    size = delta.numel()
    count = _count(density, size)
    outliers = min(int(gamma * size), size - count)
    sizes = delta.abs()
    kept = largest(sizes, count + outliers)
    if outliers:
        kept &= ~largest(sizes, outliers)
    return kept, density


def at_random(delta: torch.Tensor, density: float, generator: torch.Generator) -> Kept:
    """Keep each number with the probability `density`."""
    return _drawn(delta.shape, generator).to(delta.device) < density, density


def by_rank(
    delta: torch.Tensor, density: float, epsilon: float, generator: torch.Generator
) -> Kept:
    """Keep each number with a probability from ``density - epsilon`` to ``density + epsilon``.

    It grows with the number's rank among all inputs of its output. `epsilon` is made smaller
    where a probability would leave 0…1, so that a `density` is kept of all.
    """
    spread = min(epsilon, density, 1 - density)
    chance = _ranks(delta).mul_(2 * spread).add_(density - spread)
    return _drawn(delta.shape, generator).to(delta.device) < chance, chance


def thinned(delta: torch.Tensor, kept: Kept, rescale: str) -> torch.Tensor:
    """Return `delta` where it is kept, else 0, made larger for what is gone.

    With `rescale` ``1/p`` each is divided by the probability that it is kept, which preserves the
    mean; with ``l1`` all grow by one factor, which preserves the sum of their magnitudes.
    """
    where, chance = kept
    left = torch.where(where, delta, 0.0)
    if rescale == "1/p" and isinstance(chance, torch.Tensor):
        return left.div_(torch.where(where, chance, 1.0))
    if rescale == "1/p" and isinstance(chance, float) and chance > 0:
        return left.div_(chance)
    if rescale == "l1":
        before, after = sum_of(delta.abs()), sum_of(left.abs())
        if after > 0:
            return left.mul_(float(before / after))
    return left


def _size_of_rank(sizes: torch.Tensor, count: int) -> torch.Tensor:
    """Return the smallest of the `count` largest sizes.

    Floats that are not negative sort as the integers of their bits. Their upper halves are counted,
    and only those of one upper half are sorted: half the time and a third of the memory of sorting.
    """
    upper = sizes.view(torch.int32) >> 16
    counts = torch.bincount(upper, minlength=_UPPER).flip(0)
    place = int((counts.cumsum(0) >= count).nonzero()[0])
    inside = sizes[upper == _UPPER - 1 - place]
    rank = count - int(counts[:place].sum())
    return inside.kthvalue(inside.numel() - rank + 1).values


def _count(density: float, size: int) -> int:
    """Return how many of `size` a density keeps: at least one, unless it is 0."""
    return min(size, max(1, int(density * size))) if density > 0 else 0


def _drawn(shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Return numbers from 0 to 1, of the processor's generator: the same for every device."""
    return torch.rand(shape, generator=generator)


def _ranks(delta: torch.Tensor) -> torch.Tensor:
    """Return 0 for the smallest magnitude of each row, 1 for its largest; a single one has ½."""
    rows = delta.abs()
    rows = (
        rows.reshape(rows.shape[0], -1) if rows.dim() > 1 and rows.numel() else rows.reshape(1, -1)
    )
    if rows.shape[1] < 2:
        return torch.full_like(delta, 0.5)
    order = rows.argsort(dim=1, stable=True)
    places = torch.linspace(0, 1, rows.shape[1], device=rows.device).expand_as(rows)
    return torch.empty_like(rows).scatter_(1, order, places).reshape(delta.shape)
