"""Weighted sums on a device; on the processor kanna's own kernel makes them."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def weighted_sum(
    *tensors: torch.Tensor, weights: Sequence[float], base: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the sum of `tensors`, and of the base last, each times its weight; of one shape.

    It is made in fp64, but on Apple's GPUs, which have none.
    """
    given = (*tensors, *(() if base is None else (base,)))
    lane = torch.float32 if given[0].device.type == "mps" else torch.float64
    total = torch.zeros_like(given[0], dtype=lane)
    for tensor, weight in zip(given, weights, strict=True):
        total.add_(tensor, alpha=weight)
    return total
