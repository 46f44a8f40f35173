"""Dot products and mixtures of whole tensors in fp64, a slice at a time.

They take no memory beside their result but a few slices, and come out the same whatever the number
of threads: torch splits a long sum by threads, so that long sums are made of short ones here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

# Numbers of one tensor that are held in fp64 at a time, and those that one sum takes.
_SLICE = 2**18
_SHORT = 4096

Part = tuple[slice, slice]


def gram(
    tensors: Sequence[torch.Tensor], base: torch.Tensor | None = None, *, rows: bool = False
) -> torch.Tensor:
    """Return the dot products of `tensors`, less `base`, with each other: fp64, of ``[r, n, n]``.

    ``r`` is 1, or with `rows` the first dimension of tensors that have two or more: one matrix for
    all inputs of each output.
    """
    matrices = [_as_rows(one, rows=rows) for one in tensors]
    origin = None if base is None else _as_rows(base, rows=rows)
    count, first = len(matrices), matrices[0]
    dots = first.new_zeros((first.shape[0], count, count), dtype=torch.float64)
    for part in _parts(first):
        values = list(_values(matrices, origin, part))
        for i, one in enumerate(values):
            for j in range(i, count):
                dots[part[0], i, j] += _sum_of_rows(one * values[j])
    return dots.triu() + dots.triu(1).mT


def mixed(
    tensors: Sequence[torch.Tensor],
    weights: torch.Tensor,
    base: torch.Tensor | None = None,
    *,
    rows: bool = False,
) -> torch.Tensor:
    """Return the sum of `tensors`, less `base`, times `weights`, and `base`: fp32, rounded once.

    `weights` are ``[r, n]``; see `gram` for ``r``.
    """
    matrices = [_as_rows(one, rows=rows) for one in tensors]
    origin = None if base is None else _as_rows(base, rows=rows)
    out = torch.empty_like(matrices[0])
    for part in _parts(out):
        factors = weights[part[0]].unsqueeze(-1)
        total = sum(
            factors[:, i] * one for i, one in enumerate(_values(matrices, origin, part))
        )  # fmt: skip
        out[part] = total if origin is None else total + origin[part]
    return out.reshape(tensors[0].shape)


def sum_of(tensor: torch.Tensor) -> torch.Tensor:
    """Return the sum of all numbers, in fp64."""
    flat = _as_rows(tensor, rows=False)
    total = flat.new_zeros(1, dtype=torch.float64)
    for part in _parts(flat):
        total += _sum_of_rows(flat[part].double())
    return total[0]


def _values(
    matrices: Sequence[torch.Tensor], origin: torch.Tensor | None, part: Part
) -> Iterator[torch.Tensor]:
    start = None if origin is None else origin[part].double()
    for matrix in matrices:
        yield matrix[part].double() if start is None else matrix[part].double() - start


def _as_rows(tensor: torch.Tensor, *, rows: bool) -> torch.Tensor:
    """Return `tensor` as a matrix: its outputs by their inputs, or one row."""
    if rows and tensor.dim() > 1 and tensor.numel():
        return tensor.reshape(tensor.shape[0], -1)
    return tensor.reshape(1, -1)


def _parts(matrix: torch.Tensor) -> Iterator[Part]:
    """Yield slices of rows and columns of about as many numbers as may be held."""
    height, width = matrix.shape
    if not width:
        return
    tall, wide = max(1, _SLICE // width), min(width, _SLICE)
    for top in range(0, height, tall):
        for left in range(0, width, wide):
            yield slice(top, top + tall), slice(left, left + wide)


def _sum_of_rows(matrix: torch.Tensor) -> torch.Tensor:
    """Return the sum of each row."""
    height, width = matrix.shape
    even = width // _SHORT * _SHORT
    short = matrix[:, :even].reshape(height, even // _SHORT, _SHORT).sum(-1)
    return short.sum(-1) + matrix[:, even:].sum(-1)
