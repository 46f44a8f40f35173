"""What a LoRA keeps of the differences of two models, layer by layer.

One layer for each thread is in memory at a time, beside the factors of those that are done. torch
itself computes in one thread for each: its own threads gain little on narrow matrices, lose much
where the machine has other work, and round differently by their number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from typing import Final

from kanna.dtypes import FP32
from kanna.kernel import max_abs
from kanna.lora.made import Made, made_of
from kanna.lora.pieces import finite_numbers
from kanna.lora.ranks import LayerRanks
from kanna.lora.storing import Storing, arithmetic
from kanna.model import TensorInfo
from kanna.tensor_math.factor_values import Stored

# Beside the numbers: what they are the difference of, and what is held in fp64 for a while.
_COPIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A layer that two models have: its name, and the difference of its weights, as a view."""

    name: str
    difference: TensorInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to make of differences.

    Layers of which no number differs by more than `least` are left out. `threads` layers are made
    at once.
    """

    ranks: LayerRanks
    storing: Storing
    least: float = 0.0
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much a tensor differs, where no factors are made of it: the sum of the squares."""

    name: str
    squares: float


def extracted(
    layers: Sequence[Layer], wanted: Wanted, tick: Callable[[int], None]
) -> Iterator[Made | Difference]:
    """Yield what is made of each of `layers`, in order; of what is left out, how much it differs.

    `tick` is called with the bytes of the differences that are through.

    Raises:
        NumericError: a difference is not finite, or does not fit in the dtype.
        FormatError: a file does not hold what its header says.
    """
    done = 0
    running: deque[tuple[Layer, Future[Made | Difference]]] = deque()
    with arithmetic().single_threaded(), ThreadPoolExecutor(wanted.threads) as pool:
        for at in range(len(layers) + wanted.threads):
            if at >= wanted.threads and running:
                layer, future = running.popleft()
                yield future.result()
                done += layer.difference.nbytes
                tick(done)
            if at < len(layers):
                running.append((layers[at], pool.submit(_one, layers[at], wanted)))


def _one(layer: Layer, wanted: Wanted) -> Made | Difference:
    shape = layer.difference.shape
    data = finite_numbers(layer.difference)
    largest, _ = max_abs(data, FP32, layer.difference.numel)
    ranks = wanted.ranks.of(shape)
    if ranks is None or largest <= wanted.least:
        return Difference(name=layer.name, squares=squares_of(data) if largest else 0.0)
    making = wanted.storing.making(layer.name, ranks)
    size = shape[0], prod(shape[1:])
    stored = arithmetic().of_matrix(data, size, ranks.choose, ranks.most, making)
    return made_of(stored, layer.name, shape, wanted.storing, ranks=ranks)


def squares_of(data: bytearray) -> float:
    """Return the sum of the squares of fp32 numbers."""
    return float(arithmetic().squares(data))


def unmade(layer: Layer, wanted: Wanted) -> Made | None:
    """Return what a layer's factors would be at their highest rank, zeros; None: it has none."""
    shape = layer.difference.shape
    ranks = wanted.ranks.of(shape)
    if ranks is None:
        return None
    rank = min(ranks.most, shape[0], prod(shape[1:]))
    nothing = Stored(up=b"", down=b"", rank=rank, values=(), squares=0.0, missing=0.0)
    return made_of(nothing, layer.name, shape, wanted.storing, ranks=ranks)


def memory(layers: Sequence[Layer], wanted: Wanted) -> int:
    """Return about how many bytes it takes: the largest layers, and all factors at their most."""
    sizes = sorted((layer.difference.nbytes for layer in layers), reverse=True)
    largest = sum(sizes[: wanted.threads])
    most = (unmade(layer, wanted) for layer in layers)
    return (1 + _COPIES) * largest + sum(one.nbytes for one in most if one is not None)
