"""A module of a LoRA that was made: its factors as bytes, and what they leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, prod

from kanna.dtypes import DType
from kanna.errors import NumericError
from kanna.lora.modules import Module
from kanna.lora.ranks import Ranks
from kanna.lora.storing import Storing
from kanna.model import TensorInfo
from kanna.tensor_math.factor_values import Stored
from kanna.views.given import Given


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


def made_of(
    stored: Stored, name: str, shape: Sequence[int], how: Storing, *,
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
