"""Rotation: orthogonal, the best there is, whole or in part; against scipy."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch

from kanna.tensor_math.rotation import best_rotation, rotate, turned
from merge_calls import noise

linalg: Any = import_module("scipy.linalg")  # it has no types
SHAPES = [(40, 12), (12, 12), (12, 16), (12, 40), (6, 5, 3, 3), (16, 12, 1, 1), (1, 7)]


def close(one: torch.Tensor, other: torch.Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(one.float(), other.float(), rtol=tolerance, atol=tolerance)


def pair(*shape: int, apart: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """Two models of one base: what people merge."""
    base = noise(*shape, seed=1)
    return base, base + apart * noise(*shape, seed=2)


def matrix_of(a: torch.Tensor, b: torch.Tensor, *, proper: bool = False) -> torch.Tensor:
    """The rotation as one matrix, whatever the space that it is kept in."""
    found = best_rotation(a.double(), b.double(), proper=proper)
    if found.basis is None:
        return found.matrix
    inside = found.basis @ found.matrix @ found.basis.mT
    return inside + torch.eye(a.shape[1]).double() - found.basis @ found.basis.mT


@pytest.mark.parametrize("shape", [(40, 12), (12, 12)])
def test_it_is_the_rotation_that_scipy_finds(shape: tuple[int, int]) -> None:
    a, b = pair(*shape)
    wanted, _ = linalg.orthogonal_procrustes(a.double().numpy(), b.double().numpy())
    close(matrix_of(a, b), torch.from_numpy(wanted), 1e-9)
    a, b = a - a.mean(0), b - b.mean(0)
    wanted, _ = linalg.orthogonal_procrustes(a.double().numpy(), b.double().numpy())
    found = rotate(a, b, alignment=1.0, alpha=0.0, centre=1.0)
    close(found, a.double() @ torch.from_numpy(wanted))


@pytest.mark.parametrize("shape", [(12, 16), (12, 40), (1, 7)])
def test_wide_tensors_come_as_close_as_scipys_rotation_brings_them(shape: tuple[int, int]) -> None:
    a, b = pair(*shape)
    found = matrix_of(a, b)
    close(found @ found.mT, torch.eye(shape[1]), 1e-9)
    wanted, _ = linalg.orthogonal_procrustes(a.double().numpy(), b.double().numpy())
    close((a.double() @ found - b).norm(), (a.double() @ torch.from_numpy(wanted) - b).norm(), 1e-9)
    # what the rows leave open is turned no further than it must be
    assert found.trace() >= wanted.trace() - 1e-9


@pytest.mark.parametrize("shape", [(40, 12), (12, 12), (12, 16), (12, 40)])
@pytest.mark.parametrize("power", [0.3, 0.5, -0.7])
def test_powers_are_scipys_powers(shape: tuple[int, int], power: float) -> None:
    a, b = pair(*shape, apart=0.3)
    whole = matrix_of(a, b, proper=True)
    wanted = linalg.fractional_matrix_power(whole.numpy(), power)
    found = turned(a.double(), best_rotation(a.double(), b.double(), proper=True), power)
    close(found, a.double() @ torch.from_numpy(wanted).real, 1e-6)


def test_a_known_turn_is_found_and_halved() -> None:
    angle = torch.tensor(0.8)
    turn = torch.eye(5)
    turn[1:3, 1:3] = torch.tensor(
        [[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]]
    )  # fmt: skip
    half = torch.eye(5)
    half[1:3, 1:3] = torch.tensor(
        [[(angle / 2).cos(), -(angle / 2).sin()], [(angle / 2).sin(), (angle / 2).cos()]]
    )
    a = noise(20, 5)
    a -= a.mean(0)
    close(rotate(a, a @ turn, alignment=1.0, alpha=0.0, centre=1.0), a @ turn)
    close(rotate(a, a @ turn, alignment=0.5, alpha=0.0, centre=1.0), a @ half)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_ends_are_the_models_themselves(shape: tuple[int, ...]) -> None:
    a, b = pair(*shape)
    for centre in (0.0, 1.0):
        close(rotate(a, b, alignment=0.0, alpha=0.0, centre=centre), a, 1e-6)
        close(rotate(a, b, alignment=1.0, alpha=1.0, centre=centre), b)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alignment", [0.3, 0.7, 1.0])
def test_rotating_does_not_stretch(shape: tuple[int, ...], alignment: float) -> None:
    a, b = pair(*shape)
    found = rotate(a, b, alignment=alignment, alpha=0.0, centre=0.0)
    assert found.shape == a.shape
    close(found.norm(), a.norm())
    assert (found - b).norm() < (a - b).norm()


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_models_stay(shape: tuple[int, ...]) -> None:
    a = noise(*shape)
    for alignment, alpha in ((0.5, 0.0), (1.0, 0.3), (0.5, 0.5)):
        close(rotate(a, a.clone(), alignment=alignment, alpha=alpha, centre=1.0), a)


def test_a_mirror_image_is_turned_without_becoming_complex() -> None:
    a = noise(30, 4)
    b = a @ torch.diag(torch.tensor([1.0, 1, 1, -1]))
    found = rotate(a, b, alignment=0.5, alpha=0.0, centre=0.0)
    assert found.isfinite().all()
    close(found.norm(), a.norm())
    assert rotate(a, -a, alignment=0.5, alpha=0.0, centre=0.0).isfinite().all()


@pytest.mark.parametrize("alignment", [0.5, 1.0])
def test_nothing_has_no_direction(alignment: float) -> None:
    a, nothing = noise(6, 4), torch.zeros(6, 4)
    for one, other in ((a, nothing), (nothing, a), (nothing, nothing)):
        found = rotate(one, other, alignment=alignment, alpha=0.0, centre=1.0)
        assert found.isfinite().all()
    assert torch.equal(
        rotate(nothing, nothing, alignment=alignment, alpha=0.5, centre=1.0), nothing
    )


@pytest.mark.parametrize("shape", [(), (4,), (0,), (0, 3), (3, 0)])
def test_vectors_are_interpolated(shape: tuple[int, ...]) -> None:
    a, b = noise(*shape, seed=1), noise(*shape, seed=2)
    assert torch.equal(rotate(a, b, alignment=0.5, alpha=0.25, centre=1.0), torch.lerp(a, b, 0.25))
