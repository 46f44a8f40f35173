"""What is asked of narrow factors and what is told of them; plain values, without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """What is known of a matrix's singular values.

    `values` are the largest, descending; `squares` is the sum of the squares of all, and `total`
    their sum, where it was asked for. `complete` says that there are no others but zeros.
    """

    values: tuple[float, ...]
    squares: float
    total: float | None
    complete: bool


# How many singular values to keep; None: it needs to know more of them.
Choice = Callable[[Spectrum], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Two factors in fp32, ``up [m,r]`` and ``down [r,n]``, and the number that they come with.

    With a `core`, ``[r,s,h,w]``, ``down`` is ``[s,i]`` for a convolution of i inputs, n being i·h·w
    (Tucker's form, as LyCORIS has it).
    """

    up: bytearray
    down: bytearray
    rows: int
    rank: int
    columns: int
    factor: float
    core: bytearray | None = None
    core_shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How to store factors: torch's name of the dtype, the device, the seed of the random sketch.

    `quantile` clips the numbers of both factors, as kohya's script does. `first` singular values
    are looked for to begin with.
    """

    dtype: str
    device: str = "cpu"
    seed: int = 0
    with_total: bool = False
    first: int = 16
    quantile: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """``up [m,r]`` and ``down [r,n]`` as bytes of the dtype asked for.

    `values` are the singular values as far as they are known, `squares` the sum of the squares of
    what was to be made, `missing` that of its difference to what the stored factors make.
    """

    up: bytes
    down: bytes
    rank: int
    values: tuple[float, ...]
    squares: float
    missing: float
