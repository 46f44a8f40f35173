"""Methods that are weighted sums: the weights of the models, that of the base last."""

from __future__ import annotations

from collections.abc import Sequence

from kanna.errors import UsageError


def weighted_sum(
    count: int, *, alpha: float | None, weights: Sequence[float] | None, normalize: bool
) -> tuple[float, ...]:
    """Return the weights of ``(1 - alpha) * A + alpha * B``, or of a mean of any number of models.

    Without either, all models have the same weight.

    Raises:
        UsageError: `alpha` is given for other than two models, or beside weights; or the weights
            sum to 0, so that they cannot be made to sum to 1.
    """
    if alpha is None:
        return _shares(weights or (1.0,) * count, normalize=normalize)
    if count != 2 or weights is not None:
        raise UsageError("merge.alpha_for_two", count=count)
    return 1 - alpha, alpha


def _shares(weights: Sequence[float], *, normalize: bool) -> tuple[float, ...]:
    total = sum(weights)
    if not normalize:
        return tuple(weights)
    if abs(total) < 1e-8:
        raise UsageError("merge.weights_cancel")
    return tuple(weight / total for weight in weights)


def add_difference(count: int, *, alpha: float) -> tuple[float, ...]:
    """Return the weights of ``A + alpha * (B - C)``."""
    del count
    return 1.0, alpha, -alpha


def sum_twice(count: int, *, alpha: float, beta: float) -> tuple[float, ...]:
    """Return the weights of ``(1 - beta) * ((1 - alpha) * A + alpha * B) + beta * C``."""
    del count
    return (1 - beta) * (1 - alpha), (1 - beta) * alpha, beta


def triple_sum(count: int, *, alpha: float, beta: float) -> tuple[float, ...]:
    """Return the weights of ``(1 - alpha - beta) * A + alpha * B + beta * C``."""
    del count
    return 1 - alpha - beta, alpha, beta


def weighted_subtraction(count: int, *, alpha: float, beta: float) -> tuple[float, ...]:
    """Return the weights of ``(A - alpha * beta * B) / (1 - alpha * beta)``.

    Raises:
        UsageError: that would divide by 0.
    """
    del count
    share = alpha * beta
    if 1 - share < 1e-8:
        raise UsageError("merge.nothing_left")
    return 1 / (1 - share), -share / (1 - share)


def task_arithmetic(
    count: int, *, weights: Sequence[float], scale: float, normalize: bool
) -> tuple[float, ...]:
    """Return the weights of ``base + scale * sum(weight * (model - base))``.

    Raises:
        UsageError: the weights sum to 0, so that they cannot be made to sum to 1.
    """
    del count
    shares = [scale * share for share in _shares(weights, normalize=normalize)]
    return *shares, 1 - sum(shares)


def scaled(count: int, *, alpha: float) -> tuple[float, ...]:
    """Return the weight of ``alpha * A``."""
    del count
    return (alpha,)


def unchanged(count: int) -> tuple[float, ...]:
    """Return the weight of ``A``."""
    del count
    return (1.0,)
