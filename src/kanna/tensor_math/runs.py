"""Arithmetic in fp64 over tensors that lie in fp32, a run at a time: no copy of a whole tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Final

import torch
from torch import Tensor

NUMBERS: Final = 1 << 16  # in a run of each tensor


def runs(*tensors: Tensor, width: int = 1) -> Iterator[tuple[slice, list[Tensor]]]:
    """Yield the tensors in fp64, cut into rows of `width` numbers, a few rows of each at a time."""
    rows = [tensor.reshape(-1, width) for tensor in tensors]
    step = max(1, NUMBERS // width)
    for start in range(0, len(rows[0]), step):
        which = slice(start, start + step)
        yield which, [one[which].double() for one in rows]


def made_by_rows(function: Callable[..., Tensor], *tensors: Tensor, width: int = 1) -> Tensor:
    """Return what `function` makes of rows of `width` numbers, in fp32 and the first one's shape.

    It gets some rows of each tensor in fp64, as matrices, and returns one of their shape.
    """
    out = torch.empty_like(tensors[0], memory_format=torch.contiguous_format)
    rows = out.view(-1, width)
    for which, given in runs(*tensors, width=width):
        rows[which] = function(*given)
    return out


def norm(function: Callable[..., Tensor], *tensors: Tensor) -> float:
    """Return the L2 norm of what `function` makes of these tensors, place by place."""
    made = (function(*given) for _, given in runs(*tensors))
    return sqrt(sum(float(one.square().sum()) for one in made))


def row_length(tensor: Tensor) -> int:
    """Return the size of the last dimension, 1 for a tensor without any."""
    return max(1, tensor.shape[-1]) if tensor.dim() else 1
