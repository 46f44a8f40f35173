"""A module of a LoRA that was made: its factors as bytes, and what they leave out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import isfinite, prod, sqrt
from typing import Any, Final

from kanna.dtypes import BF16, FP8_E4M3, FP8_E5M2, FP16, FP32, WORDS, DType
from kanna.errors import Interrupted, KannaError, MissingExtra, NumericError, UsageError
from kanna.lora.modules import Module
from kanna.lora.ranks import Ranks, share
from kanna.merging.computing import seed_of
from kanna.model import TensorInfo
from kanna.tensor_math.factor_values import Making, Stored
from kanna.views.given import Given

DTYPES: Final = tuple(dtype.word for dtype in (FP32, FP16, BF16))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """Two factors, ``up`` and ``down``, whose product is what a layer is changed by.

    `name` is the layer's, as whoever asked for it calls it. Alpha is the rank: the product counts
    as it is. `squares` is the sum of the squares of what was to be made, `missing` that of what
    the stored factors differ from it by, their rounding included. `values` are the singular values
    as far as they are known, `before` is the rank of a LoRA that was cut down, and `most` the
    highest rank that was asked for; None where the values decided.
    """

    name: str
    dtype: DType
    up: bytes
    down: bytes
    up_shape: tuple[int, ...]
    down_shape: tuple[int, ...]
    squares: float
    missing: float
    values: tuple[float, ...] = ()
    before: int | None = None
    most: int | None = None

    @property
    def wanted(self) -> int:
        """The rank that was asked for: small layers have less."""
        return self.rank if self.most is None else self.most

    @property
    def rank(self) -> int:
        """Its rank, which is its alpha, too."""
        return self.down_shape[0]

    @property
    def nbytes(self) -> int:
        """The bytes of both factors."""
        return self.dtype.nbytes(prod(self.up_shape) + prod(self.down_shape))


def module_of(made: Made, reach: str, path: str) -> Module:
    """Return what was made as a module of a LoRA, for the layer at `path`."""
    up = TensorInfo("up", made.dtype, made.up_shape, Given(made.up))
    down = TensorInfo("down", made.dtype, made.down_shape, Given(made.down))
    return Module(
        name=made.name, reach=reach, path=path, kind="lora", pieces={"up": up, "down": down},
        alpha=float(made.rank), rank=made.rank,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """How factors are made and stored: dtype, device, and which quantile clips them (None: none).

    `seed` is that of the random sketches; each layer has its own, by its name.
    """

    dtype: DType = FP16
    device: str = "cpu"
    quantile: float | None = None
    seed: int = 0

    def making(self, name: str, *, with_total: bool = False) -> Making:
        """Return what the arithmetic is told for the layer `name`."""
        return Making(
            dtype=self.dtype.torch or "", device=self.device, quantile=self.quantile,
            seed=seed_of(self.seed, 0, name), with_total=with_total,
        )  # fmt: skip


def storing(dtype: str, device: str, quantile: float | None) -> Storing:
    """Return how to store factors, of what a person asked for.

    Raises:
        UsageError: a word makes no sense, or there is no such device.
        MissingExtra: torch is not installed.
    """
    if dtype not in DTYPES:
        raise UsageError("lora_making.no_such_dtype", dtype=dtype, known=", ".join(DTYPES))
    if quantile is not None and not 0.5 <= quantile <= 1:
        raise UsageError("lora_making.quantile_unclear", quantile=quantile)
    if not find_spec("torch"):
        raise MissingExtra("lora_making.needs_torch")
    try:
        import_module("kanna.tensor_math.buffers").check_device(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError("merge.no_device", device=device) from error
    return Storing(dtype=WORDS[dtype], device=device, quantile=quantile)


def arithmetic() -> Any:
    """Return the module that computes factors."""
    return import_module("kanna.tensor_math.lora_factors")


@dataclass(frozen=True, slots=True)
class Unmade:
    """Factors of which only the rank is known: they count as zeros."""

    rank: int
    up: bytes = b""
    down: bytes = b""
    values: tuple[float, ...] = ()
    squares: float = 0.0
    missing: float = 0.0


@contextmanager
def troubles_told(memory: int) -> Iterator[None]:
    """Turn what torch and the system raise while factors are made into errors of ours.

    Raises:
        Interrupted: Ctrl-C.
        KannaError: about `memory` bytes were not to be had, or torch could not compute something.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("engine.interrupted") from None
    except MemoryError as error:
        raise KannaError("lora_making.no_memory", size=memory) from error
    except RuntimeError as error:  # torch has no other for any of these
        if "memory" in str(error).lower():
            raise KannaError("lora_making.no_memory", size=memory) from error
        reason = str(error).partition("\n")[0]
        raise KannaError("lora_making.failed", reason=reason) from error


def made_of(
    stored: Stored | Unmade, name: str, shape: Sequence[int], how: Storing, *,
    ranks: Ranks | None = None, before: int | None = None,
) -> Made:  # fmt: skip
    """Return the factors of a layer of `shape`: of a convolution, ``up`` is a 1x1 convolution.

    `ranks` are those that were asked for.

    Raises:
        NumericError: the factors do not fit in their dtype.
    """
    if not isfinite(stored.missing):
        raise NumericError("lora_making.overflow", name=name, dtype=how.dtype.word)
    ones = (1,) * (len(shape) - 2)
    return Made(
        name=name, dtype=how.dtype, up=stored.up, down=stored.down, squares=stored.squares,
        up_shape=(shape[0], stored.rank, *ones), down_shape=(stored.rank, *shape[1:]),
        missing=stored.missing, values=stored.values, before=before,
        most=ranks.most if ranks and ranks.method == "fixed" else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What several layers together keep: sums of squares, and how often each rank occurs."""

    name: str
    layers: int
    squares: float
    missing: float
    ranks: tuple[tuple[int, int], ...]

    @property
    def error(self) -> float:
        """The Frobenius norm of what is missing, relative to that of the whole; 0 of nothing."""
        return sqrt(self.missing / self.squares) if self.squares else 0.0

    @property
    def share(self) -> float:
        """The share of the Frobenius norm that is kept."""
        return share(max(self.squares - self.missing, 0.0), self.squares)


def retained(name: str, made: Sequence[Made]) -> Retained:
    """Return what the layers `made` keep together."""
    ranks = [one.rank for one in made]
    return Retained(
        name=name, layers=len(made), squares=sum(one.squares for one in made),
        missing=sum(one.missing for one in made),
        ranks=tuple((rank, ranks.count(rank)) for rank in sorted(set(ranks))),
    )  # fmt: skip


def widest(modules: Iterable[Module]) -> DType:
    """Return the dtype that holds the numbers of all `modules`: of two kinds of halves, fp32."""
    found = {tensor.dtype for module in modules for tensor in module.pieces.values()}
    halves = [dtype for dtype in (FP16, BF16) if dtype in found]
    if found <= {*halves, FP8_E4M3, FP8_E5M2} and len(halves) < 2:
        return halves[0] if halves else FP16
    return FP32


def columns_of(shape: Sequence[int]) -> int:
    """Return the width of a layer's matrix: its inputs, each with its kernel."""
    return prod(shape[1:])
