"""Smooth add difference: a median filter and a Gaussian one over all dimensions of a difference.

The numbers are those of scipy.ndimage, bit for bit: ``median_filter(size=3)``, then
``gaussian_filter(sigma=1)``, both reflecting at the borders, and rounding to fp32 after each axis.
Sorting is shared: what is sorted along one dimension is merged with its neighbours along the next,
which `_network` does with as few comparisons as Batcher's odd-even merge needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, reduce
from math import exp
from typing import Final

import torch
from torch import Tensor

_PLACES: Final = 1 << 14  # of which medians are made at a time
_NUMBERS: Final = 1 << 16  # that are convolved at a time
_RADIUS: Final = 4  # standard deviations, at which the Gaussian is cut off
_SMALL: Final = 16  # dimensions up to this size, those of kernels, are laid outermost


def smooth_add_difference(
    a: Tensor, b: Tensor, *, base: Tensor, alpha: float
) -> Tensor:  # fmt: skip
    """Return ``a`` with the difference of ``b`` from the base, times `alpha`, without its peaks.

    Source: hako-mikan/sd-webui-supermerger, calcmode smoothAdd.
    """
    return torch.add(a, _smoothed(b - base), alpha=alpha)


def _smoothed(difference: Tensor) -> Tensor:
    """Return the filtered tensor; dimensions of size 1 change nothing and are left out."""
    shape, difference = difference.shape, difference.squeeze()
    sizes = difference.shape
    order = sorted(range(len(sizes)), key=lambda axis: sizes[axis] > _SMALL)
    if not order:
        return difference.reshape(shape)
    laid = difference.permute(order).contiguous()
    del difference
    laid = _medians(laid)
    for axis in range(len(order)):
        _blur(laid, order.index(axis))
    back = [order.index(axis) for axis in range(len(order))]
    return laid.permute(back).reshape(shape)


def _medians(tensor: Tensor) -> Tensor:
    """Return the median of every place and its neighbours, diagonal ones too."""
    rows = tensor if tensor.dim() > 1 else tensor[None]
    out = torch.empty_like(rows)
    axis, count = rows.dim() - 2, rows.shape[-2]
    step = max(1, _PLACES * count // rows.numel())
    for start in range(0, count, step):
        stop = min(start + step, count)
        places = torch.arange(start - 1, stop + 1, device=rows.device).clamp_(0, count - 1)
        out.narrow(axis, start, stop - start).copy_(_middle(rows.index_select(axis, places)))
    return out.reshape(tensor.shape)


def _middle(tile: Tensor) -> Tensor:
    """Return the medians of a tile that has a row of neighbours on both sides already.

    Its rows are the second dimension from the end, which is the last to be merged.
    """
    runs, axis = [tile], tile.dim() - 2
    for other in [one for one in range(tile.dim()) if one != axis]:
        runs = _merged([_bordered(run, other) for run in runs], other)
    return _merged(runs, axis, middle=True)[0]


def _bordered(tensor: Tensor, axis: int) -> Tensor:
    count = tensor.shape[axis]
    return torch.cat(
        (tensor.narrow(axis, 0, 1), tensor, tensor.narrow(axis, count - 1, 1)), dim=axis
    )


def _merged(runs: Sequence[Tensor], axis: int, *, middle: bool = False) -> list[Tensor]:
    """Return, in order, the numbers of three neighbours along `axis`, each of which is in order.

    With `middle` only the one in the middle.
    """
    count = runs[0].shape[axis] - 2
    wires = [run.narrow(axis, shift, count) for shift in range(3) for run in runs]
    steps, order = _network(len(runs), middle=middle)
    for low, high, keeps_low, keeps_high in steps:
        left, right = wires[low], wires[high]
        if keeps_low:
            wires[low] = torch.minimum(left, right)
        if keeps_high:
            wires[high] = torch.maximum(left, right)
    return [wires[wire] for wire in order]


@cache
def _network(
    count: int, *, middle: bool
) -> tuple[tuple[tuple[int, int, bool, bool], ...], tuple[int, ...]]:
    """Return how three runs of `count` become one: comparisons, and the wires in order at the end.

    A comparison is two wires, and whether the lesser and the greater are wanted.
    """
    pairs: list[tuple[int, int]] = []
    runs = [list(range(count * run, count * (run + 1))) for run in range(3)]
    order = reduce(lambda left, right: _merge(left, right, pairs), runs)
    wanted = order[len(order) // 2 :][:1] if middle else order
    live, steps = set(wanted), []
    for low, high in reversed(pairs):
        if {low, high} & live:
            steps.append((low, high, low in live, high in live))
            live |= {low, high}
    return tuple(reversed(steps)), tuple(wanted)


def _merge(left: list[int], right: list[int], pairs: list[tuple[int, int]]) -> list[int]:
    """Return the wires of two runs in order, and note the comparisons that it takes.

    Source: K. E. Batcher, Sorting networks and their applications, 1968.
    """
    if not left or not right:
        return left + right
    if len(left) == len(right) == 1:
        pairs.append((left[0], right[0]))
        return left + right
    odd, even = (_merge(left[first::2], right[first::2], pairs) for first in (0, 1))
    order = odd[:1]
    for lower, upper in zip(odd[1:], even, strict=False):
        pairs.append((lower, upper))
        order += [lower, upper]
    return order + odd[1 + len(even) :] + even[len(odd) - 1 :]


def _blur(tensor: Tensor, axis: int) -> None:
    """Convolve the tensor with the Gaussian along `axis`, in fp64, in place."""
    size = tensor.shape[axis]
    places = torch.arange(-_RADIUS, size + _RADIUS, device=tensor.device) % (2 * size)
    mirrored = torch.where(places < size, places, 2 * size - 1 - places)
    centre, *sides = _gaussian()
    for part in _parts(tensor, axis):
        wide = part.index_select(1, mirrored).double()
        total = wide.narrow(1, _RADIUS, size) * centre
        for far in range(_RADIUS, 0, -1):
            both = wide.narrow(1, _RADIUS - far, size) + wide.narrow(1, _RADIUS + far, size)
            total += both.mul_(sides[far - 1])
        part.copy_(total)


def _parts(tensor: Tensor, axis: int) -> Iterator[Tensor]:
    """Yield views of the tensor that hold `axis` whole, as the middle one of three dimensions."""
    size = tensor.shape[axis]
    blocks = tensor.view(tensor.shape[:axis].numel(), size, -1)
    width = min(blocks.shape[2], max(1, _NUMBERS // size))
    height = max(1, _NUMBERS // (size * width))
    for rows in torch.split(blocks, height):
        yield from torch.split(rows, width, dim=2)


@cache
def _gaussian() -> tuple[float, ...]:
    """Return the weights at the distances 0, 1 … of a standard deviation of 1; all sum to 1."""
    heights = [exp(-0.5 * place**2) for place in range(_RADIUS + 1)]
    total = heights[0] + 2 * sum(heights[1:])
    return tuple(height / total for height in heights)
