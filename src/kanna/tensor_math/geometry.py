"""Merging by angles: directions and lengths of whole tensors, or of each of their rows.

Whatever a method here returns is a weighted sum of its models, with weights that follow from their
dot products. Those are computed in fp64; what is left is arithmetic of a few numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from kanna.tensor_math.exact import gram, mixed

# Beyond this cosine two tensors are opposite, and there is no shortest way between them.
_OPPOSITE = -0.9995
_NOTHING = 1e-12
_ROUNDS = 100


def slerp(
    first: torch.Tensor, second: torch.Tensor, *, alpha: float, threshold: float, length: str
) -> torch.Tensor:
    """Return the tensor at `alpha` on the arc from `first` to `second`.

    Where their cosine reaches `threshold` it lies on the straight line. With `length` ``kept`` the
    sines weigh the tensors as they are (Shoemake 1985, mergekit); with ``mixed`` they weigh their
    directions, and the lengths are interpolated (sd-mecha).
    """
    dots = gram((first, second))
    weights = _on_the_arc(dots, alpha, threshold)
    if length == "mixed":
        weights = _with_length_mixed(weights, dots, alpha, threshold)
    return mixed((first, second), weights)


def nuslerp(
    first: torch.Tensor, second: torch.Tensor, *, weights: Sequence[float], rows: bool,
    base: torch.Tensor | None = None,
) -> torch.Tensor:  # fmt: skip
    """Return the tensor on the arc, at the second one's share of the weights.

    With `base` the arc is that of the differences from it; with `rows` each output has its own.
    """
    given = (first, second)
    dots = gram(given, base, rows=rows)
    return mixed(given, _on_the_arc(dots, shares(weights)[1], 1.0), base, rows=rows)


def multislerp(
    *tensors: torch.Tensor, weights: Sequence[float], base: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the weighted mean of the directions, as long as the weighted mean of the lengths.

    Where the directions cancel out it is the weighted mean of the tensors.
    """
    return _by_directions(_mean_direction, tensors, weights, base)


def karcher(
    *tensors: torch.Tensor, weights: Sequence[float], base: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the Karcher mean of the directions, as long as the weighted mean of the lengths.

    It is the direction from which the squares of the angles to all, weighted, are the least sum.
    """
    return _by_directions(_karcher_direction, tensors, weights, base)


def model_stock(*tensors: torch.Tensor, base: torch.Tensor, rows: bool) -> torch.Tensor:
    """Return what lies between the base and the mean of the models as their angles suggest.

    ``t = n c / (1 + (n - 1) c)``, where ``c`` is the mean cosine of all pairs of differences from
    the base; those that point away from each other leave the base.
    """
    dots, count = gram(tensors, base, rows=rows), len(tensors)
    lengths = dots.diagonal(dim1=-2, dim2=-1).sqrt()
    norms = lengths.unsqueeze(-1) * lengths.unsqueeze(-2)
    cosines = torch.where(norms > 0, dots / norms, 0.0)
    above = torch.ones(count, count, dtype=torch.bool, device=dots.device).triu(1)
    cosine = cosines[:, above].mean(-1, keepdim=True).clamp(0, 1)
    between = count * cosine / (1 + (count - 1) * cosine)
    return mixed(tensors, (between / count).expand(-1, count), base, rows=rows)


def geometric_median(*tensors: torch.Tensor, weights: Sequence[float]) -> torch.Tensor:
    """Return the tensor whose weighted distances to all others are the least sum (Weiszfeld).

    The iteration runs over the models' weights: distances follow from the dot products.
    """
    dots = gram(tensors, tensors[0])[0]
    given = torch.tensor(shares(weights), dtype=torch.float64, device=dots.device)
    found = given
    floor = dots.diagonal().max().sqrt() * _NOTHING
    for _ in range(_ROUNDS):
        squares = dots.diagonal() - 2 * (dots @ found) + found @ dots @ found
        pull = given / squares.clamp(min=0).sqrt().clamp(min=floor)
        before, found = found, pull / pull.sum()
        if not found.isfinite().all() or (found - before).abs().max() < _NOTHING:
            break
    found = torch.where(found.isfinite(), found, given)
    return mixed(tensors, found.unsqueeze(0), tensors[0])


def shares(weights: Sequence[float]) -> list[float]:
    """Return `weights` over their sum; equal ones where the sum is nothing."""
    total = sum(weights)
    if abs(total) < _NOTHING:
        return [1 / len(weights)] * len(weights)
    return [weight / total for weight in weights]


def _on_the_arc(dots: torch.Tensor, alpha: float, threshold: float) -> torch.Tensor:
    """Return the two weights, for each matrix of `dots`."""
    cosine, straight = _cosine(dots, threshold)
    angle = torch.where(straight, 1.0, cosine).acos()
    sine = torch.where(straight, 1.0, angle.sin())
    return torch.stack([
        torch.where(straight, 1 - alpha, ((1 - alpha) * angle).sin() / sine),
        torch.where(straight, alpha, (alpha * angle).sin() / sine),
    ], dim=-1)  # fmt: skip


def _with_length_mixed(
    weights: torch.Tensor, dots: torch.Tensor, alpha: float, threshold: float
) -> torch.Tensor:
    lengths = dots.diagonal(dim1=-2, dim2=-1).sqrt()
    wanted = (1 - alpha) * lengths[:, :1] + alpha * lengths[:, 1:]
    straight = _cosine(dots, threshold)[1].unsqueeze(-1)
    return torch.where(straight, weights, weights * wanted / lengths)


def _cosine(dots: torch.Tensor, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the cosine of two tensors, and whether there is only a straight way between them."""
    norms = (dots[:, 0, 0] * dots[:, 1, 1]).sqrt()
    cosine = torch.where(norms > 0, dots[:, 0, 1] / norms, 1.0)
    return cosine, (cosine >= threshold) | (cosine <= max(_OPPOSITE, -threshold))


def _by_directions(
    mean: Callable[[torch.Tensor, torch.Tensor], torch.Tensor | None],
    tensors: Sequence[torch.Tensor], weights: Sequence[float], base: torch.Tensor | None,
) -> torch.Tensor:  # fmt: skip
    """Return what `mean` makes of the directions; those of no length have none."""
    dots = gram(tensors, base)[0]
    share = torch.tensor(shares(weights), dtype=torch.float64, device=dots.device)
    lengths = dots.diagonal().sqrt()
    long = torch.where(lengths > 0, lengths, 1.0)
    there = torch.where(lengths > 0, share, 0.0)
    direction = mean(dots / (long.unsqueeze(0) * long.unsqueeze(1)), there / there.sum())
    found = share if direction is None else direction / long * (share @ lengths)
    return mixed(tensors, found.unsqueeze(0), base)


def _mean_direction(cosines: torch.Tensor, share: torch.Tensor) -> torch.Tensor | None:
    """Return the weights of unit vectors that make their mean's direction, None without one."""
    square = share @ cosines @ share
    return share / square.sqrt() if square > _NOTHING else None


def _karcher_direction(cosines: torch.Tensor, share: torch.Tensor) -> torch.Tensor | None:
    """Return the weights of unit vectors that make their Karcher mean, None without one."""
    start = _mean_direction(cosines, share)
    if start is None:
        return None
    found = start
    for _ in range(_ROUNDS):
        beside = (cosines @ found).clamp(-1, 1)
        angle = beside.acos()
        pull = share * torch.where(angle > 0, angle / angle.sin().clamp(min=_NOTHING), 1.0)
        tangent = pull - (pull @ beside) * found
        size = (tangent @ cosines @ tangent).clamp(min=0).sqrt()
        if size < _NOTHING:
            break
        found = found * size.cos() + tangent * (size.sin() / size)
        found = found / (found @ cosines @ found).sqrt()
    return found
