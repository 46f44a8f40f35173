"""A matrix as the product of two narrow ones: by a randomised SVD, or of a product exactly.

The randomised SVD follows N. Halko, P.-G. Martinsson, J. Tropp, *Finding structure with randomness*
(arXiv 0909.4061), algorithms 4.4 and 5.1: the matrix times a random one spans nearly the space that
its largest singular vectors do, and powers of the matrix bring it nearer. What such a projection
leaves out is known exactly, ``|D|² - Σσ²``, so that both go on until they need not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch

from kanna.tensor_math.factor_values import Choice, Spectrum

# Below this the whole decomposition takes no longer.
_SMALL: Final = 256
# More columns than are asked for: section 4.2 of the paper has five to ten.
_OVERSAMPLING: Final = 10
_MOST_POWERS: Final = 8
# A power that gains less than this share of what is left out was the last.
_GAIN: Final = 1e-3
_NOISE: Final = 1e-9  # a share of all that is no more than rounding in fp32
_ROWS: Final = 1 << 22  # numbers that are held in fp64 at once
# Numbers that a processor's cache holds in fp64: ten times as fast as what goes through memory.
_CACHED: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factors:
    """``left [m,r] @ right [r,n]``, with the singular values that it keeps, and the spectrum."""

    left: torch.Tensor
    right: torch.Tensor
    rank: int
    spectrum: Spectrum


@torch.inference_mode()
def factored(
    matrix: torch.Tensor, choose: Choice, most: int, *, seed: int = 0, with_total: bool = False,
    first: int = 16,
) -> Factors:  # fmt: skip
    """Return the best product of the rank that `choose` chooses, at most `most`.

    `matrix` is ``[m,n]``, fp32 and finite. Small ones, and those of which many values are wanted,
    are decomposed whole. With `with_total` the spectrum has the sum of all singular values.
    `first` values are looked for to begin with.
    """
    least = min(matrix.shape)
    squares = squared_norm(matrix)
    total, wanted = None, min(most, first)
    while least > _SMALL and 2 * (wanted + _OVERSAMPLING) < least:
        if total is None and with_total:
            total = _sum_of_values(matrix)
        left, values, right = _sketched(matrix, wanted, squares, seed)
        found = Spectrum(values=tuple(values[:wanted].tolist()), squares=squares, total=total,
                         complete=False)  # fmt: skip
        rank = choose(found)
        if rank is None and wanted == most:
            rank = most
        if rank is not None:
            return _split(left, values, right, min(rank, most), found)
        wanted = min(2 * wanted, most)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    return _chosen(left, values, right, squares, choose, most)


@torch.inference_mode()
def factored_product(left: torch.Tensor, right: torch.Tensor, choose: Choice, most: int) -> Factors:
    """Return the best product of a lower rank for ``left [m,k] @ right [k,n]``, never forming it.

    Both are decomposed into orthonormal columns and a small square, whose product has the same
    singular values; in fp64.
    """
    outer, first = torch.linalg.qr(left.double())
    inner, second = torch.linalg.qr(right.double().T)
    one, values, other = torch.linalg.svd(first @ second.T, full_matrices=False)
    squares = float(values.square().sum())
    return _chosen(outer @ one, values, other @ inner.T, squares, choose, most)


def _chosen(
    left: torch.Tensor, values: torch.Tensor, right: torch.Tensor, squares: float, choose: Choice,
    most: int,
) -> Factors:  # fmt: skip
    listed = tuple(values.tolist())
    found = Spectrum(values=listed, squares=squares, total=sum(listed), complete=True)
    rank = choose(found)
    return _split(left, values, right, min(most, len(listed) if rank is None else rank), found)


def _split(
    left: torch.Tensor, values: torch.Tensor, right: torch.Tensor, rank: int, found: Spectrum
) -> Factors:
    """Give each side the roots of the singular values: both are then as far as can be from zero."""
    roots = values[:rank].sqrt()
    return Factors(left=left[:, :rank] * roots, right=roots[:, None] * right[:rank], rank=rank,
                   spectrum=found)  # fmt: skip


def _sketched(
    matrix: torch.Tensor, wanted: int, squares: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the singular vectors and values of the projection onto a random space, refined.

    The random numbers are the processor's, whatever the device.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = matrix.shape[1], wanted + _OVERSAMPLING
    random = torch.randn(shape, generator=generator, dtype=matrix.dtype).to(matrix.device)
    space = torch.linalg.qr(matrix @ random)[0]
    projected = space.T @ matrix
    before = _kept(projected, wanted)
    for _ in range(_MOST_POWERS):
        space = torch.linalg.qr(matrix @ torch.linalg.qr(projected.T)[0])[0]
        projected = space.T @ matrix
        kept = _kept(projected, wanted)
        if kept - before <= _GAIN * max(squares - kept, _NOISE * squares):
            break
        before = kept
    one, values, right = torch.linalg.svd(projected, full_matrices=False)
    return space @ one, values, right


def _kept(projected: torch.Tensor, wanted: int) -> float:
    """Return the sum of the squares of the largest singular values."""
    return float(torch.linalg.svdvals(projected)[:wanted].double().square().sum())


def _sum_of_values(matrix: torch.Tensor) -> float:
    """Return the sum of all singular values: the roots of those of the smaller Gram matrix."""
    narrow = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    gram = torch.zeros(narrow.shape[1], narrow.shape[1], dtype=torch.float64, device=matrix.device)
    for rows in torch.split(narrow, max(_ROWS // narrow.shape[1], 1)):
        double = rows.double()
        gram.addmm_(double.T, double)
    return float(torch.linalg.eigvalsh(gram).clamp(min=0).sqrt().sum())


@torch.inference_mode()
def squared_norm(matrix: torch.Tensor) -> float:
    """Return the sum of the squares of all numbers, summed in fp64."""
    parts = (part.double() for part in torch.split(matrix.reshape(-1), _CACHED))
    return float(torch.stack([torch.dot(part, part) for part in parts]).sum())


@torch.inference_mode()
def squared_distance(matrix: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> float:
    """Return ``|matrix - left @ right|²``: the factors may be of any dtype, as they are stored."""
    left, right = left.float(), right.float()
    rows = max(_ROWS // max(matrix.shape[1], 1), 1)
    parts = zip(torch.split(matrix, rows), torch.split(left, rows), strict=True)
    return math.fsum(squared_norm(torch.addmm(part, some, right, alpha=-1)) for part, some in parts)


@torch.inference_mode()
def squared_product_distance(
    left: torch.Tensor, right: torch.Tensor, stored_left: torch.Tensor, stored_right: torch.Tensor
) -> float:
    """Return ``|left @ right - stored_left @ stored_right|²`` without forming either, in fp64."""
    both = torch.cat([left.double(), -stored_left.double()], dim=1)
    across = torch.cat([right.double(), stored_right.double()], dim=0)
    first, second = (torch.linalg.qr(one, mode="r")[1] for one in (both, across.T))
    return float((first @ second.T).square().sum())


@torch.inference_mode()
def clamped(
    left: torch.Tensor, right: torch.Tensor, quantile: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both factors with what is beyond the `quantile` of their numbers clipped to it.

    Source: kohya-ss/sd-scripts networks/extract_lora_from_models.py, where it is 0.99.
    """
    both = torch.cat([left.reshape(-1), right.reshape(-1)])
    highest = both.kthvalue(max(1, round(quantile * both.numel())))[0]
    return left.clamp(-highest, highest), right.clamp(-highest, highest)
