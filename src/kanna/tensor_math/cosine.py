"""Cosine A and B: each column's share of the first model is how alike the two are there.

A first pass over all tensors finds between which similarities they lie, so that the shares use the
whole range. Columns run along the first dimension. Source: hako-mikan/sd-webui-supermerger,
calcmodes cosineA and cosineB, which make NaN of a tensor of zeros and of two equal models; here the
cosine with zeros is 0, and where all are equally alike, all are wholly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from kanna.tensor_math.features import cosines
from kanna.tensor_math.runs import runs

_OUTSIDE: Final = 0.01  # of the similarities at either end are left out


def measure_a(a: Tensor, b: Tensor, **_: Any) -> Tensor:
    """Return the cosine of each column."""
    return cosines(*_by_column(a, b)).float()


def measure_b(a: Tensor, b: Tensor, **_: Any) -> Tensor:
    """Return, for each column, the mean of its cosine and of that of the whole tensors."""
    return _likeness_b(*_by_column(a, b)).float()


def between(found: Sequence[Tensor]) -> tuple[float, float]:
    """Return the least and the greatest similarity, without a percent of them at either end."""
    some = torch.cat([torch.zeros(0), *(one.reshape(-1).cpu() for one in found)]).double()
    kept = some[~some.isnan()].sort().values
    kept = kept[kept >= _percentile(kept, _OUTSIDE)]
    kept = kept[kept <= _percentile(kept, 1 - _OUTSIDE)]
    return (float(kept[0]), float(kept[-1])) if len(kept) else (0.0, 0.0)


def _percentile(ordered: Tensor, share: float) -> float:
    """Return the midpoint of the two numbers about that place."""
    place = torch.tensor(share * (len(ordered) - 1), dtype=torch.float64)
    around = [int(place.floor()), int(place.ceil())]
    return float(ordered[around].mean()) if len(ordered) else 0.0


def cosine_a(a: Tensor, b: Tensor, *, alpha: float, measured: tuple[float, float]) -> Tensor:
    """Return a mix that keeps of ``a`` what is alike: its structure, with details of ``b``.

    The shape of a column counts, not its size: of the whole tensors, too, the columns are taken as
    unit vectors. `alpha` more of ``b`` throughout.
    """
    products, squares_a, squares_b = _by_column(a, b)
    each = cosines(products, squares_a, squares_b)
    whole = cosines(each.sum(), (squares_a > 0).sum().double(), (squares_b > 0).sum().double())
    return _mixed(a, b, (each + whole) / 2, abs(alpha), measured)


def cosine_b(a: Tensor, b: Tensor, *, alpha: float, measured: tuple[float, float]) -> Tensor:
    """Return such a mix by the cosines as they are, in which large columns count for more."""
    return _mixed(a, b, _likeness_b(*_by_column(a, b)), alpha, measured)


def _likeness_b(products: Tensor, squares_a: Tensor, squares_b: Tensor) -> Tensor:
    whole = cosines(products.sum(), squares_a.sum(), squares_b.sum())
    return (cosines(products, squares_a, squares_b) + whole) / 2


def _by_column(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for each column, the inner product and both squared norms, in fp64."""
    width = a[0].numel() if a.dim() else 1
    sums = torch.zeros(3, width, dtype=torch.float64, device=a.device)
    for _, (x, y) in runs(a, b, width=width):
        sums += torch.stack([(x * y).sum(0), x.square().sum(0), y.square().sum(0)])
    return sums[0], sums[1], sums[2]


def _mixed(
    a: Tensor, b: Tensor, alike: Tensor, less: float, measured: tuple[float, float]
) -> Tensor:  # fmt: skip
    least, most = measured
    share = (alike - least) / (most - least) if most > least else torch.ones_like(alike)
    share = (share - less).clamp_(0, 1).float().reshape(a.shape[1:])
    return torch.lerp(b, a, share)
