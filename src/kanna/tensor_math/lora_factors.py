"""The two factors of a LoRA as they are stored, and how far what they make is from what it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import frexp

import torch

from kanna.tensor_math.buffers import tensor_of
from kanna.tensor_math.factor_values import Choice, Making, Product, Stored
from kanna.tensor_math.low_rank import (
    Factors,
    clamped,
    factored,
    factored_product,
    squared_distance,
    squared_norm,
    squared_product_distance,
)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let torch compute in the threads that call it, and in no others."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def of_matrix(
    data: bytearray, shape: tuple[int, int], choose: Choice, most: int, making: Making
) -> Stored:
    """Return the factors of the matrix of `shape` whose fp32 numbers are `data`."""
    matrix = tensor_of(data, shape, making.device)
    made = factored(matrix, choose, most, seed=making.seed, with_total=making.with_total,
                    first=making.first)  # fmt: skip
    up, down = _as_stored(made, making)
    return _stored(made, up, down, squared_distance(matrix, up, down))


@torch.inference_mode()
def of_products(products: Sequence[Product], choose: Choice, most: int, making: Making) -> Stored:
    """Return the factors of the sum of `products`, which are of one size, at a lower rank."""
    left, right = _joined(products, making.device)
    made = factored_product(left, right, choose, most)
    up, down = _as_stored(made, making)
    return _stored(made, up, down, squared_product_distance(left, right, up, down))


@torch.inference_mode()
def side_by_side(products: Sequence[Product], making: Making) -> Stored:
    """Return factors whose product is the sum of `products`: the ranks add up."""
    left, right = _joined(products, making.device)
    up, down = (side.to(getattr(torch, making.dtype)) for side in (left, right))
    nothing = torch.zeros_like(left[:, :1]), torch.zeros_like(right[:1])
    squares = squared_product_distance(left, right, *nothing)
    kept = torch.equal(up.double(), left) and torch.equal(down.double(), right)
    missing = 0.0 if kept else squared_product_distance(left, right, up, down)
    return Stored(up=_bytes_of(up), down=_bytes_of(down), rank=left.shape[1], values=(),
                  squares=squares, missing=missing)  # fmt: skip


def _joined(products: Sequence[Product], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the products as one, in fp64; half of each factor's exponent goes to either side.

    The side that gets a power of two keeps all its digits.
    """
    ups, downs = [], []
    for one in products:
        power = 2.0 ** (frexp(one.factor)[1] // 2)
        up = tensor_of(one.up, (one.rows, one.rank), device).double()
        down = _down_of(one, device).double()
        ups.append(up * (one.factor / power))
        downs.append(down * power)
    return torch.cat(ups, dim=1), torch.cat(downs, dim=0)


def _down_of(one: Product, device: str) -> torch.Tensor:
    if one.core is None:
        return tensor_of(one.down, (one.rank, one.columns), device)
    core = tensor_of(one.core, one.core_shape, device)
    inner = core.shape[1]
    inputs = one.columns // (core.numel() // (core.shape[0] * inner))
    down = tensor_of(one.down, (inner, inputs), device)
    return torch.einsum("rs...,si->ri...", core, down).reshape(one.rank, one.columns)


def _as_stored(made: Factors, making: Making) -> tuple[torch.Tensor, torch.Tensor]:
    left, right = made.left, made.right
    if making.quantile is not None:
        left, right = clamped(left, right, making.quantile)
    dtype = getattr(torch, making.dtype)
    return left.to(dtype), right.to(dtype)


def _stored(made: Factors, up: torch.Tensor, down: torch.Tensor, missing: float) -> Stored:
    return Stored(up=_bytes_of(up), down=_bytes_of(down), rank=made.rank,
                  values=made.spectrum.values, squares=made.spectrum.squares,
                  missing=missing)  # fmt: skip


@torch.inference_mode()
def squares(data: bytearray) -> float:
    """Return the sum of the squares of fp32 numbers, summed in fp64."""
    return squared_norm(tensor_of(data, (len(data) // 4,)))


def _bytes_of(tensor: torch.Tensor) -> bytes:
    out = bytearray(tensor.numel() * tensor.element_size())
    torch.frombuffer(out, dtype=tensor.dtype).copy_(tensor.reshape(-1))
    return bytes(out)
