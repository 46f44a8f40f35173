"""LoRAs as one: their weighted sum, exactly by ranks that add up, or at a lower rank.

A LoRA that is cut down is a sum of one.

What programs in use do, adding the ups and the downs apart, is no sum of what the LoRAs add: the
weights count twice, and each up meets the other's down.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from kanna.dtypes import FP32
from kanna.errors import Incompatible
from kanna.lora.deltas import added
from kanna.lora.made import Made, made_of
from kanna.lora.modules import Module
from kanna.lora.pieces import finite_numbers
from kanna.lora.products import is_product, product_of
from kanna.lora.ranks import Ranks
from kanna.lora.sizes import shape_of
from kanna.lora.storing import Storing, arithmetic
from kanna.merging.terms import as_tensor, combined
from kanna.tensor_math.factor_values import Product
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
    def shape(self) -> tuple[int, ...]:
        """The shape of the layer; that of the convolution where some are of matrices.

        Raises:
            Incompatible: they are for layers of other sizes, or pieces do not fit together.
        """
        shapes = [shape_of(share.module) for share in self.shares]
        sizes = {(shape[0], prod(shape[1:])) for shape in shapes}
        if len(sizes) > 1:
            first, second = sorted(sizes)[:2]
            raise Incompatible("lora_making.sizes", name=self.name, first="x".join(map(str, first)),
                               second="x".join(map(str, second)))  # fmt: skip
        return max(shapes, key=len)

    @property
    def plain(self) -> bool:
        """Whether all are products of two matrices, so that their sum is one as it stands."""
        return all(is_product(share.module) for share in self.shares)


def summed_exactly(one: Sum, storing: Storing) -> Made:
    """Return a sum that is `plain`, with the factors side by side: the ranks add up.

    Raises:
        Incompatible: the LoRAs' layers differ in size, or pieces do not fit together.
        NumericError: they are not finite, or do not fit in their dtype.
        FormatError: a file does not hold what its header says.
    """
    shape = one.shape
    stored = arithmetic().side_by_side(_products(one), storing.making(one.name))
    return made_of(stored, one.name, shape, storing)


def summed_at_rank(one: Sum, ranks: Ranks, storing: Storing) -> Made:
    """Return a sum at the best that `ranks` allow.

    Raises:
        Incompatible: the LoRAs' layers differ in size, or pieces do not fit together.
        NumericError: they are not finite, or do not fit in their dtype.
        FormatError: a file does not hold what its header says.
    """
    shape, known = one.shape, [share.module.rank for share in one.shares]
    making = storing.making(one.name, ranks)
    if one.plain:
        stored = arithmetic().of_products(_products(one), ranks.choose, ranks.most, making)
    else:
        size = shape[0], prod(shape[1:])
        stored = arithmetic().of_matrix(_dense(one), size, ranks.choose, ranks.most, making)
    before = sum(rank or 0 for rank in known) if one.plain or len(known) == 1 else None
    return made_of(stored, one.name, shape, storing, ranks=ranks, before=before or None)


def _products(one: Sum) -> list[Product]:
    return [product_of(share.module, share.weight) for share in one.shares]


def _dense(one: Sum) -> bytearray:
    """Return the whole sum in fp32."""
    terms = [
        (added(share.module, zeros(one.name, FP32, shape_of(share.module)), 1.0), share.weight)
        for share in one.shares
    ]
    return finite_numbers(as_tensor(combined(terms)))
