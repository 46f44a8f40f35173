"""Sparse task vectors: differences from a base, thinned, put to the vote, and added to it.

One operator, whose parts have names of their own: which numbers of each difference are kept
(`kanna.tensor_math.sparsifying`), whether those that go against the majority's sign are left out,
whether the sum is divided by the weights that are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch

from kanna.tensor_math.exact import gram
from kanna.tensor_math.sparsifying import (
    Kept,
    at_random,
    by_magnitude,
    by_rank,
    largest,
    thinned,
)

# Says which numbers of the model with that number are kept of its difference.
Choice = Callable[[int, torch.Tensor], Kept]


def trimmed(
    *tensors: torch.Tensor, base: torch.Tensor, weights: Sequence[float],
    density: Sequence[float], scale: float, normalize: bool, rescale: str,
    consensus: str = "none", gamma: float = 0.0,
) -> torch.Tensor:  # fmt: skip
    """Keep the largest numbers of each difference: TIES; without outliers: breadcrumbs."""

    def kept(index: int, delta: torch.Tensor) -> Kept:
        return by_magnitude(delta, density[index], gamma)

    return _added(tensors, base, kept, weights, rescale, consensus, scale, normalize=normalize)


def dropped(
    *tensors: torch.Tensor, base: torch.Tensor, weights: Sequence[float],
    density: Sequence[float], scale: float, normalize: bool, rescale: str,
    generators: Sequence[torch.Generator], consensus: str = "none",
) -> torch.Tensor:  # fmt: skip
    """Keep numbers of each difference at random: DARE."""

    def kept(index: int, delta: torch.Tensor) -> Kept:
        return at_random(delta, density[index], generators[index])

    return _added(tensors, base, kept, weights, rescale, consensus, scale, normalize=normalize)


def ranked(
    *tensors: torch.Tensor, base: torch.Tensor, weights: Sequence[float],
    density: Sequence[float], epsilon: float, scale: float, normalize: bool, rescale: str,
    generators: Sequence[torch.Generator], consensus: str = "none",
) -> torch.Tensor:  # fmt: skip
    """Keep numbers of each difference at random, large ones rather than small ones: DELLA."""

    def kept(index: int, delta: torch.Tensor) -> Kept:
        return by_rank(delta, density[index], epsilon, generators[index])

    return _added(tensors, base, kept, weights, rescale, consensus, scale, normalize=normalize)


def sce(*tensors: torch.Tensor, base: torch.Tensor, select: float, scale: float) -> torch.Tensor:
    """Select what differs most between the models, weigh each by its energy, erase minorities.

    `select` is the share that is kept of the numbers in which the models differ at all. Source:
    arXiv 2408.07990.
    """
    deltas = [one - base for one in tensors]
    if select < 1:
        spread = _variance(deltas)
        varied = int(spread.count_nonzero())
        kept = largest(spread, max(1, int(select * varied)) if select > 0 and varied else 0)
        for delta in deltas:
            delta.mul_(kept)
    energies = [float(gram((delta,))) for delta in deltas]
    shares = [energy / (sum(energies) or 1.0) for energy in energies]
    total, share = _agreeing(deltas, shares, _elected(deltas, [1.0] * len(deltas), "sum"))
    return torch.add(base, _divided(total, share), alpha=scale)


def _added(
    tensors: Sequence[torch.Tensor], base: torch.Tensor, choice: Choice, weights: Sequence[float],
    rescale: str, consensus: str, scale: float, *, normalize: bool,
) -> torch.Tensor:  # fmt: skip
    """Return the base and `scale` times what is left of the differences."""
    sparse = partial(_sparse, base, choice, rescale)
    total = torch.zeros_like(base)
    if consensus == "none":
        for index, (tensor, weight) in enumerate(zip(tensors, weights, strict=True)):
            if weight:
                total.add_(sparse(index, tensor), alpha=weight)
        if normalize:
            total /= sum(map(abs, weights)) or 1.0
    else:
        deltas = [sparse(index, tensor) for index, tensor in enumerate(tensors)]
        elected = _elected(deltas, weights, consensus)
        total, share = _agreeing(deltas, weights, elected)
        if normalize:
            total = _divided(total, share)
    return torch.add(base, total, alpha=scale)


def _sparse(
    base: torch.Tensor, choice: Choice, rescale: str, index: int, tensor: torch.Tensor
) -> torch.Tensor:
    delta = tensor - base
    return thinned(delta, choice(index, delta), rescale)


def _elected(
    deltas: Sequence[torch.Tensor], weights: Sequence[float], consensus: str
) -> torch.Tensor:
    """Return the sign of the weighted sum of the numbers, or with ``count`` of their signs.

    It is 0 where neither side has more.
    """
    total = torch.zeros_like(deltas[0])
    for delta, weight in zip(deltas, weights, strict=True):
        if weight:
            sign = 1.0 if weight > 0 else -1.0
            total.add_(delta.sign() if consensus == "count" else delta,
                       alpha=sign if consensus == "count" else weight)  # fmt: skip
    return total.sign_()


def _agreeing(
    deltas: Sequence[torch.Tensor], weights: Sequence[float], elected: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weighted sum of what has the elected sign, and the weights that are in it."""
    total, share = torch.zeros_like(elected), torch.zeros_like(elected)
    for delta, weight in zip(deltas, weights, strict=True):
        if weight:
            agrees = delta.sign() == (elected if weight > 0 else -elected)
            total.add_(torch.where(agrees, delta, 0.0), alpha=weight)
            share.add_(agrees, alpha=abs(weight))
    return total, share


def _divided(total: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    return total.div_(torch.where(share > 0, share, 1.0))


def _variance(deltas: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return how much the models differ from each other: exactly 0 where they agree."""
    first, count = deltas[0], len(deltas)
    mean = torch.zeros_like(first)
    for delta in deltas:
        mean.add_(delta - first, alpha=1 / count)
    spread = torch.zeros_like(first)
    for delta in deltas:
        spread.add_((delta - first).sub_(mean).square_())
    return spread
