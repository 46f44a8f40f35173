"""Rotating one model's weights towards another's: orthogonal Procrustes, whole or in part.

Source: Schoenemann, "A generalized solution of the orthogonal Procrustes problem" (1966); what is
rotated and what is interpolated is as in sd-mecha (rotate).
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass

import torch

# A phase that no angle is likely to be opposite to: see `_power`.
_PHASE = 0.7


@dataclass(frozen=True, slots=True)
class Rotation:
    """The turn `matrix` within the space that the columns of `basis` span; None: all of it."""

    matrix: torch.Tensor
    basis: torch.Tensor | None = None


def rotate(
    first: torch.Tensor, second: torch.Tensor, *, alignment: float, alpha: float, centre: float
) -> torch.Tensor:
    """Return `first` turned towards `second` by the power `alignment` of the best rotation.

    Rows are vectors: the inputs of one output, or one kernel of a convolution. `centre` is how much
    of their mean is set aside, to be interpolated by `alignment`. `alpha` interpolates what the
    rotation leaves to differ. With both at 0 it is `first`, with both at 1 `second`. Tensors of
    fewer than two dimensions are interpolated by `alpha`.
    """
    if first.dim() < 2 or not first.numel():
        return torch.lerp(first, second, alpha)
    a, b = _as_rows(first).double(), _as_rows(second).double()
    mean_a, mean_b = a.mean(0) * centre, b.mean(0) * centre
    a, b = a - mean_a, b - mean_b
    if alignment or alpha:
        rotation = best_rotation(a, b, proper=not _whole(alignment))
        if alpha:
            a = torch.lerp(a, turned(b, rotation, -1.0), alpha)
        a = turned(a, rotation, alignment)
    return (a + torch.lerp(mean_a, mean_b, alignment)).float().reshape(first.shape)


def best_rotation(a: torch.Tensor, b: torch.Tensor, *, proper: bool) -> Rotation:
    """Return the orthogonal matrix that takes the rows of `a` closest to those of `b`.

    Where they leave it open it turns as little as it can. With `proper` it reflects nothing, so
    that it has powers.
    """
    basis = None
    if 2 * a.shape[0] < a.shape[1]:
        basis = torch.linalg.qr(torch.cat([a, b]).mT).Q
        a, b = a @ basis, b @ basis
    u, s, vh = torch.linalg.svd(a.mT @ b)
    rank = int((s > s[0] * s.numel() * torch.finfo(s.dtype).eps).sum())
    if rank < s.numel():  # the closest of the maps from one null space to the other
        left, _, right = torch.linalg.svd(u[:, rank:].mT @ vh[rank:].mT)
        u[:, rank:] = u[:, rank:] @ left
        vh[rank:] = right @ vh[rank:]
    if proper and torch.linalg.slogdet(u @ vh).sign < 0:
        u[:, -1] *= -1
    return Rotation(u @ vh, basis)


def turned(rows: torch.Tensor, rotation: Rotation, power: float) -> torch.Tensor:
    """Return `rows` times the `power` of `rotation`, in whose space they lie."""
    if not power:
        return rows
    matrix = _power(rotation.matrix, power)
    if rotation.basis is None:
        return rows @ matrix
    return rows @ rotation.basis @ matrix @ rotation.basis.mT


def _power(matrix: torch.Tensor, power: float) -> torch.Tensor:
    """Return the power of an orthogonal matrix, each plane turned by that share of its angle.

    The Cayley transform is Hermitian and has the matrix's own eigenvectors, orthonormal even where
    eigenvalues are equal. A phase keeps it from half turns, where it has a pole.
    """
    if _whole(power):
        straight = matrix if power > 0 else matrix.mT
        return straight.matrix_power(abs(int(power)))
    angles, vectors = _angles(matrix)
    turns = torch.exp(1j * power * angles)
    return torch.real((vectors * turns) @ vectors.mH)


def _angles(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the angles from -pi to pi of an orthogonal matrix, and its eigenvectors."""
    above = matrix * cmath.exp(-1j * _PHASE)
    below = above.clone()
    above.diagonal().sub_(1)
    below.diagonal().add_(1)
    cayley = torch.linalg.solve(below, above).mul_(-1j)
    del above, below  # each is several times as large as what is rotated
    tangents, vectors = torch.linalg.eigh(cayley)
    angles = 2 * tangents.atan() + _PHASE + torch.pi
    return torch.remainder(angles, 2 * torch.pi) - torch.pi, vectors


def _whole(power: float) -> bool:
    return float(power).is_integer()


def _as_rows(tensor: torch.Tensor) -> torch.Tensor:
    """Return a matrix whose rows are turned: kernels where there are any."""
    if tensor.dim() > 2 and tensor.shape[2:].numel() > 1:
        return tensor.reshape(-1, tensor.shape[2:].numel())
    return tensor.reshape(tensor.shape[0], -1)
