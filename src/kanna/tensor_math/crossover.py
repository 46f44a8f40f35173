"""Merge methods that sort a tensor's numbers, or take its frequencies apart.

Every function takes tensors of fp32 of one shape, which it leaves as they are, and makes one.
"""

from __future__ import annotations

from math import fmod, pi, tan
from typing import Final

import torch
from torch import Tensor

_SHARP: Final = 1e-10  # a slope of no width


def top_k_tensor_sum(a: Tensor, b: Tensor, *, alpha: float, beta: float) -> Tensor:
    """Return ``a`` with some of its own numbers dealt out anew, in the order that ``b`` has.

    They are the share `alpha` of all, by magnitude, from the share `beta` on; what goes beyond the
    greatest goes on at the smallest. Source: s1dlx/meh merge_methods.py.
    """
    flat = a.reshape(-1)
    order = b.reshape(-1).argsort(stable=True)
    ordered = flat.sort().values
    dealt = torch.where(_chosen(ordered.abs(), alpha, beta), ordered, flat[order])
    del ordered
    return torch.empty_like(flat).scatter_(0, order, dealt).reshape(a.shape)


def _chosen(sizes: Tensor, share: float, offset: float) -> Tensor:
    """Say which of the sizes are among the `share` of them from `offset` on."""
    offset = fmod(offset, 1.0)
    beyond = share + offset > 1
    first, last = (share + offset - 1, offset) if beyond else (offset, share + offset)
    low, high = (_smallest(sizes, round(one * sizes.numel())) for one in (first, last))
    inside = (sizes > low).logical_and_(sizes <= high)
    return inside.logical_not_() if beyond else inside


def _smallest(sizes: Tensor, count: int) -> float:
    """Return the greatest of the `count` smallest sizes, -1 for none."""
    return float(sizes.kthvalue(count).values) if count else -1.0


def distribution_crossover(
    a: Tensor, b: Tensor, *, base: Tensor, alpha: float, beta: float
) -> Tensor:
    """Return the low frequencies of ``a`` and the high ones of ``b``, in the order of the base.

    All numbers stand in a row, in the order of those of the base. Frequencies lie between 0 and 1;
    at `alpha` those of ``b`` take over, over a slope as wide as `beta`. It is computed as ``a`` and
    a part of ``b - a``, which keeps what they have in common as exact as it is. Source:
    s1dlx/meh merge_methods.py.
    """
    order = base.reshape(-1).argsort(stable=True)
    change = (b - a).reshape(-1)[order]
    waves = torch.fft.rfft(change)
    place = torch.arange(len(waves), device=a.device) / len(waves)
    slope = ((place - alpha) / beta + 0.5).clamp_(0, 1) if beta > _SHARP else place >= alpha
    change = torch.fft.irfft(waves.mul_(slope), n=len(order))
    del waves
    out = torch.empty_like(change).scatter_(0, order, change)
    return out.reshape(a.shape).add_(a)


def crossover(a: Tensor, b: Tensor, *, alpha: float, tilt: float) -> Tensor:
    """Return the low frequencies of ``a`` and the high ones of ``b``, along all dimensions.

    The share `alpha` of the frequencies is of ``b``. The cut leans by `tilt`: 0 is a sharp one, 1 a
    weighted sum. Source: ljleb/sd-mecha builtin/merge_methods/crossover.py.
    """
    if tilt == 1:
        return torch.lerp(a, b, alpha)
    shape = a.shape or (1,)
    waves = torch.fft.rfftn((b - a).reshape(shape))
    waves *= _leaning(_frequencies(waves.shape, a.device), alpha, tilt)
    change: Tensor = torch.fft.irfftn(waves, s=shape)
    return change.reshape(a.shape).add_(a)


def _frequencies(shape: torch.Size, device: torch.device) -> Tensor:
    """Return how high each frequency is, between 0 and 1: the root mean square of all dimensions.

    Of the last dimension only half is there; in the others the second half runs backwards.
    """
    *others, last = shape
    squares: Tensor = (torch.arange(last, device=device) / max(1, last - 1)).square()
    for size in reversed(others):
        step = torch.fft.fftfreq(size, 1 / size, device=device) / max(1, size // 2)
        squares = squares + step.square().reshape(-1, *(1,) * squares.dim())
    return squares.div_(len(shape)).sqrt_()


def _leaning(heights: Tensor, alpha: float, tilt: float) -> Tensor:
    if tilt == 0:
        return heights > 1 - alpha if alpha < 1 else torch.ones_like(heights)
    lean = 1 / tan(pi * tilt / 2)
    return heights.mul_(lean).add_(alpha * lean + alpha - lean).clamp_(0, 1)
