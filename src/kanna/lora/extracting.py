"""What a LoRA keeps of the differences of two models, layer by layer.

One layer is in memory at a time, beside the factors of those that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kanna.dtypes import FP32
from kanna.errors import NumericError
from kanna.kernel import max_abs
from kanna.lora.made import Made, Storing, Unmade, arithmetic, columns_of, made_of
from kanna.lora.ranks import Ranks
from kanna.model import TensorInfo
from kanna.views.computed import fp32_of

# Beside the numbers: what they are the difference of, and what is held in fp64 for a while.
_COPIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A layer that two models have: its name, and the difference of its weights, as a view."""

    name: str
    difference: TensorInfo

    @property
    def matrix(self) -> bool:
        """Whether it is a linear layer, or a convolution that is no more than one."""
        return all(size == 1 for size in self.difference.shape[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to make of differences: ranks of linear layers and of convolutions (None: leave out).

    Layers of which no number differs by more than `least` are left out.
    """

    ranks: Ranks
    conv_ranks: Ranks | None
    least: float = 0.0
    storing: Storing

    def ranks_of(self, layer: Layer) -> Ranks | None:
        """Return the ranks for `layer`, or None where it is left out."""
        return self.ranks if layer.matrix else self.conv_ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much a tensor differs, where no factors are made of it: the sum of the squares."""

    name: str
    squares: float


def extracted(
    layers: Sequence[Layer], wanted: Wanted, tick: Callable[[int], None]
) -> Iterator[Made | Difference]:
    """Yield what is made of each of `layers`; of what is left out, how much it differs.

    `tick` is called with the bytes of the differences that are through.

    Raises:
        NumericError: a difference is not finite, or does not fit in the dtype.
        FormatError: a file does not hold what its header says.
    """
    done = 0
    for layer in layers:
        yield _one(layer, wanted)
        done += layer.difference.nbytes
        tick(done)


def _one(layer: Layer, wanted: Wanted) -> Made | Difference:
    data = numbers_of(layer.difference)
    largest, _ = max_abs(data, FP32, layer.difference.numel)
    ranks = wanted.ranks_of(layer)
    if ranks is None or largest <= wanted.least:
        return Difference(name=layer.name, squares=squares_of(data) if largest else 0.0)
    shape = layer.difference.shape
    making = wanted.storing.making(layer.name, with_total=ranks.with_total)
    size = shape[0], columns_of(shape)
    stored = arithmetic().of_matrix(data, size, ranks.choose, ranks.most, making)
    return made_of(stored, layer.name, shape, wanted.storing, ranks=ranks)


def numbers_of(difference: TensorInfo) -> bytearray:
    """Return a difference in fp32.

    Raises:
        NumericError: it holds NaN or Inf.
        FormatError: a file does not hold what its header says.
    """
    data = fp32_of(difference, 0, difference.numel)
    _, not_finite = max_abs(data, FP32, difference.numel)
    if not_finite:
        raise NumericError("lora_making.not_finite", name=difference.name, count=not_finite)
    return data


def squares_of(data: bytearray) -> float:
    """Return the sum of the squares of fp32 numbers."""
    return float(arithmetic().squares(data))


def unmade(layer: Layer, wanted: Wanted) -> Made | None:
    """Return what a layer's factors would be at their highest rank, zeros; None: it has none."""
    ranks, shape = wanted.ranks_of(layer), layer.difference.shape
    if ranks is None:
        return None
    nothing = Unmade(min(ranks.most, shape[0], columns_of(shape)))
    return made_of(nothing, layer.name, shape, wanted.storing, ranks=ranks)


def memory(layers: Sequence[Layer], wanted: Wanted) -> int:
    """Return about how many bytes it takes: the largest layer, and all factors at their most."""
    largest = max((layer.difference.nbytes for layer in layers), default=0)
    most = (unmade(layer, wanted) for layer in layers)
    return (1 + _COPIES) * largest + sum(one.nbytes for one in most if one is not None)
