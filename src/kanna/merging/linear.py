"""Methods that are weighted sums: the weights of the models, that of the base last."""

from __future__ import annotations


def weighted_sum(count: int, *, alpha: float) -> tuple[float, ...]:
    """Return the weights of ``(1 - alpha) * A + alpha * B``."""
    del count
    return 1 - alpha, alpha


def add_difference(count: int, *, alpha: float) -> tuple[float, ...]:
    """Return the weights of ``A + alpha * (B - C)``."""
    del count
    return 1.0, alpha, -alpha
