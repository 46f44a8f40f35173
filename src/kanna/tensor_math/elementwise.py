"""Merge methods in which a number depends on those at the same place alone.

Every function takes tensors of fp32 of one shape, which it leaves as they are, and makes one.
"""

from __future__ import annotations

from math import cos, pi
from typing import Final

import torch
from torch import Tensor

_TINY: Final = torch.finfo(torch.float32).tiny
_REACH: Final = 1.8  # how much stronger than the difference itself training is taken to be


def train_difference(a: Tensor, b: Tensor, *, base: Tensor, alpha: float) -> Tensor:
    """Return ``a`` trained as the base was to become ``b``: the more, the further it is from ``b``.

    ``a + 1.8 * alpha * (b - base) * |b - a| / (|b - base| + |b - a|)``; where ``b`` is the base,
    that is ``a``. Source: hako-mikan/sd-webui-supermerger, calcmode trainDifference.
    """
    learned = b - base
    share = (b - a).abs_()
    share /= learned.abs().add_(share).clamp_(min=_TINY)
    return learned.mul_(share).mul_(_REACH * alpha).add_(a)


def nearswap(a: Tensor, b: Tensor, *, t: float) -> Tensor:
    """Return ``b`` where it is within `t` of ``a``, and elsewhere ``a`` moved by `t` towards it.

    The same as weights of ``clip(t / |a - b|, 0, 1)`` for ``b``, without a quotient. Source:
    alchemonaut/QuartetAnemoi-70B-t0.0001; arcee-ai/mergekit merge_methods/nearswap.py.
    """
    step = b - a
    near = (step <= t).logical_and_(step >= -t)
    return torch.where(near, b, step.clamp_(-t, t).add_(a))


def clip(model: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return the model with every number brought between those of ``a`` and ``b``.

    Source: s1dlx/meh merge.py, weights clipping.
    """
    return torch.maximum(model, torch.minimum(a, b)).clamp_(max=torch.maximum(a, b))


def geometric(a: Tensor, b: Tensor, *, alpha: float) -> Tensor:
    """Return the real part of ``a ** (1 - alpha) * b ** alpha``; ``0 ** 0`` is 1.

    A negative number has the angle pi, so that the sign follows from whose angle counts how much.
    Source: ljleb/sd-mecha builtin/merge_methods/linear.py, geometric_sum.
    """
    size = a.abs().pow_(1 - alpha).mul_(b.abs().pow_(alpha))
    minus_a, minus_b = a < 0, b < 0
    turn = torch.ones_like(size)
    turn.masked_fill_(minus_a, cos(pi * (1 - alpha))).masked_fill_(minus_b, cos(pi * alpha))
    return size.mul_(turn.masked_fill_(minus_a.logical_and_(minus_b), -1))


def multiply_difference(
    a: Tensor, b: Tensor, *, base: Tensor, alpha: float, beta: float
) -> Tensor:  # fmt: skip
    """Return the base and the geometric mean of both differences from it.

    ``|a - base| ** (1 - alpha) * |b - base| ** alpha``, with the sign of the arithmetic mean, in
    which ``b`` has the weight `beta`. Source: s1dlx/meh merge_methods.py.
    """
    left, right = a - base, b - base
    sign = torch.lerp(left, right, beta)
    size = left.abs_().pow_(1 - alpha).mul_(right.abs_().pow_(alpha))
    return size.copysign_(sign).add_(base)


def similarity_add_difference(
    a: Tensor, b: Tensor, *, base: Tensor, alpha: float, beta: float
) -> Tensor:
    """Return a weighted sum where ``a`` and ``b`` are alike, and add difference where they are not.

    How alike: ``(1 + a * b / max(|a|, |b|) ** 2) / 2``, two zeros wholly, times `beta`. The sum has
    ``b`` with half of `alpha`. Source: s1dlx/meh merge_methods.py.
    """
    largest = torch.maximum(a.abs(), b.abs())
    alike = (a / largest).mul_(b).div_(largest)
    alike.nan_to_num_(nan=1).add_(1).mul_(beta / 2)  # 0 / 0
    del largest
    added = (b - base).mul_(alpha).add_(a)
    mixed = (b - a).mul_(alpha / 2).add_(a)
    return added.lerp_(mixed, alike)
