"""Merge methods that look at rows, or at a tensor as a whole.

Every function takes tensors of fp32 of one shape, which it leaves as they are, and makes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, sqrt
from typing import Final

import torch
from torch import Tensor

from kanna.tensor_math.runs import made_by_rows, norm, row_length, runs

_WIDE: Final = 100  # so many columns, and fewer are not cut
_ROUNDING: Final = 1e-9  # 0.7 + 0.1 is less than 0.8


def euclidean_add_difference(
    a: Tensor, b: Tensor, *, base: Tensor, alpha: float
) -> Tensor:  # fmt: skip
    """Return the base and the Euclidean mean of both differences from it.

    With the differences d and e over their norms: ``sqrt((1 - alpha) * d**2 + alpha * e**2)``, with
    the sign and the norm of the weighted sum of the differences. A difference of zeros counts as
    zeros. Source: s1dlx/meh merge_methods.py.
    """
    size_a = norm(lambda x, y: x - y, a, base)
    size_b = norm(lambda x, y: x - y, b, base)
    size = norm(lambda x, y, z: torch.lerp(x, y, alpha) - z, a, b, base)
    # The norm of the mean of two units, or of one and of zeros.
    unit = sqrt((1 - alpha) * bool(size_a) + alpha * bool(size_b))
    left = (1 - alpha) / size_a**2 if size_a else 0.0
    right = alpha / size_b**2 if size_b else 0.0

    def mean(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        x, y = x - z, y - z
        distance = (left * x.square() + right * y.square()).sqrt_()
        return distance.copysign_(torch.lerp(x, y, alpha)).mul_(size / (unit or 1)).add_(z)

    return made_by_rows(mean, a, b, base)


def extract(
    a: Tensor, b: Tensor, *, base: Tensor, alpha: float, beta: float, gamma: float
) -> Tensor:
    """Return the base with what both models have learned alike, or not alike.

    Of the differences d and e, row by row (along the last dimension): ``s = ((cos(d, e) + 1) / 2)
    ** gamma``, and ``base + lerp(d, e, alpha) * lerp(s, 1 - s, beta)``. The cosine with a row of
    zeros is 0. Source: hako-mikan/sd-webui-supermerger, calcmode extract.
    """

    def features(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        x, y = x - z, y - z
        cosine = cosines((x * y).sum(1), x.square().sum(1), y.square().sum(1))
        alike = ((cosine + 1) / 2).pow_(gamma)[:, None]
        return torch.lerp(x, y, alpha) * torch.lerp(alike, 1 - alike, beta) + z

    return made_by_rows(features, a, b, base, width=row_length(a))


def cosines(products: Tensor, squares_a: Tensor, squares_b: Tensor) -> Tensor:
    """Return the cosines for inner products and squared norms; that of zeros with anything is 0."""
    sizes = squares_a.sqrt() * squares_b.sqrt()
    return torch.where(sizes > 0, products / sizes, 0.0).clamp_(-1, 1)


def tensor_sum(a: Tensor, b: Tensor, *, alpha: float, beta: float, along: str) -> Tensor:
    """Return ``a`` with a share `alpha` of its rows taken from ``b``, from the share `beta` on.

    What goes beyond the last row goes on at the first. Columns are the slices along the second
    dimension; a tensor of 100 or fewer has its rows cut instead. Source:
    hako-mikan/sd-webui-supermerger, calcmodes tensor and tensor2.
    """
    axis = 1 if along == "columns" and a.dim() > 1 and a.shape[1] > _WIDE else 0
    out = a.clone(memory_format=torch.contiguous_format)
    target, source = (out, b) if a.dim() else (out[None], b[None])
    for start, stop in _places(alpha, beta, target.shape[axis]):
        target.narrow(axis, start, stop - start).copy_(source.narrow(axis, start, stop - start))
    return out


def _places(share: float, offset: float, count: int) -> Sequence[tuple[int, int]]:
    """Return the runs of `count` slices that a `share` of them covers from `offset` on."""
    start, stop, beyond = (
        floor(one * count + _ROUNDING) for one in (offset, offset + share, offset + share - 1)
    )
    return ((start, stop),) if stop <= count else ((start, count), (0, beyond))


def plus_random(a: Tensor, *, alpha: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Return ``a`` with noise of the standard deviation `alpha`.

    Source: hako-mikan/sd-webui-supermerger, calcmode plus random.
    """
    noise = torch.randn(a.shape, generator=generators[0]).to(a.device)
    return noise.mul_(alpha).add_(a)


def perpendicular(a: Tensor, b: Tensor, *, base: Tensor, alpha: float) -> Tensor:
    """Return ``a`` with what ``b`` has learned and ``a`` has not: what is orthogonal to its own.

    With the differences d and e: ``a + alpha * (e - d * (d . e) / (d . d))``; a difference of zeros
    takes nothing away. Source: ljleb/sd-mecha builtin/merge_methods/linear.py.
    """
    product = square = 0.0
    for _, (x, y, z) in runs(a, b, base):
        product += float(((x - z) * (y - z)).sum())
        square += float((x - z).square().sum())
    share = product / square if square else 0.0
    return made_by_rows(lambda x, y, z: x + alpha * (y - z - share * (x - z)), a, b, base)
