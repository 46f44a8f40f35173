"""Several LoRAs as one: their weighted sum, exactly by ranks that add up, or at a lower rank.

What programs in use do, adding the ups and the downs apart, is no sum of what the LoRAs add: the
weights count twice, and each up meets the other's down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

from kanna.dtypes import FP32
from kanna.errors import Incompatible
from kanna.lora.deltas import added
from kanna.lora.dense import dense_shape
from kanna.lora.made import Made, Storing, arithmetic, made_of
from kanna.lora.modules import Module
from kanna.lora.products import is_product, product_of, shape_of
from kanna.lora.ranks import Ranks
from kanna.merging.terms import as_tensor, combined
from kanna.tensor_math.factor_values import Product
from kanna.views.computed import fp32_of
from kanna.views.given import zeros


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Share:
    """What one LoRA has for a layer, and how much of it counts; it may be less than nothing."""

    module: Module
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sum:
    """What several LoRAs add to the layer `name`."""

    name: str
    shares: tuple[Share, ...]

    @property
    def nbytes(self) -> int:
        """The bytes that are read for it."""
        return sum(t.nbytes for share in self.shares for t in share.module.pieces.values())

    @property
    def plain(self) -> bool:
        """Whether all are products of two matrices, so that their sum is one as it stands."""
        return all(is_product(share.module) for share in self.shares)


def summed_exactly(
    sums: Sequence[Sum], storing: Storing, tick: Callable[[int], None]
) -> Iterator[Made]:
    """Yield the sums, which are all `plain`, with the factors side by side: the ranks add up.

    Raises:
        Incompatible: the LoRAs' layers differ in size.
        NumericError: the factors do not fit in their dtype.
        FormatError: a file does not hold what its header says.
    """
    done = 0
    for one in sums:
        stored = arithmetic().side_by_side(_products(one), storing.making(one.name))
        yield made_of(stored, one.name, _shape(one), storing)
        done += one.nbytes
        tick(done)


def summed_at_rank(
    sums: Sequence[Sum], ranks: Ranks, storing: Storing, tick: Callable[[int], None]
) -> Iterator[Made]:
    """Yield the sums at the best that `ranks` allow.

    Raises:
        Incompatible: the LoRAs' layers differ in size.
        NumericError: the factors do not fit in their dtype.
        FormatError: a file does not hold what its header says.
    """
    done = 0
    for one in sums:
        making = storing.making(one.name, with_total=ranks.with_total)
        if one.plain:
            products = _products(one)
            stored = arithmetic().of_products(products, ranks.choose, ranks.most, making)
            before = sum(product.rank for product in products)
            yield made_of(stored, one.name, _shape(one), storing, ranks=ranks, before=before)
        else:
            data, shape = _dense(one)
            size = shape[0], prod(shape[1:])
            stored = arithmetic().of_matrix(data, size, ranks.choose, ranks.most, making)
            yield made_of(stored, one.name, shape, storing, ranks=ranks)
        done += one.nbytes
        tick(done)


def _products(one: Sum) -> list[Product]:
    _shape(one)
    return [product_of(share.module, share.weight) for share in one.shares]


def _shape(one: Sum) -> tuple[int, ...]:
    """Return the shape of the layer, which all of them must be for.

    Raises:
        Incompatible: they are for layers of other sizes.
    """
    shapes = [shape_of(share.module) for share in one.shares]
    return _common(one.name, shapes)


def _common(name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the one shape; where some are of matrices, that of the convolution."""
    sizes = {(shape[0], prod(shape[1:])) for shape in shapes}
    if len(sizes) > 1:
        first, second = sorted(sizes)[:2]
        raise Incompatible("lora_making.sizes", name=name, first="x".join(map(str, first)),
                           second="x".join(map(str, second)))  # fmt: skip
    return max(shapes, key=len)


def _dense(one: Sum) -> tuple[bytearray, tuple[int, ...]]:
    """Return the whole sum in fp32, and the shape of its layer."""
    shapes, terms = [], []
    for share in one.shares:
        shape = shape_of(share.module) if is_product(share.module) else dense_shape(share.module)
        shapes.append(shape)
        terms.append(added(share.module, zeros(one.name, FP32, shape), share.weight))
    shape = _common(one.name, shapes)
    tensor = as_tensor(combined([(term, 1.0) for term in terms]))
    return fp32_of(tensor, 0, tensor.numel), shape
