"""A LoRA at other ranks: each module's product is cut down as well as can be.

What is no product of two matrices (differences in full, norms, rotations) stays as it is; LoHa,
LoKr and GLoRA become plain LoRA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kanna.lora.dense import is_dense, matrix_of
from kanna.lora.made import Made, Storing, arithmetic, made_of
from kanna.lora.modules import Module
from kanna.lora.products import is_product, product_of, shape_of
from kanna.lora.ranks import Ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Resizing:
    """The ranks of linear layers and of convolutions with a kernel, and how to store factors."""

    ranks: Ranks
    conv_ranks: Ranks
    storing: Storing

    def ranks_of(self, shape: Sequence[int]) -> Ranks:
        """Return the ranks for a layer of `shape`."""
        return self.conv_ranks if any(size > 1 for size in shape[2:]) else self.ranks


def can_resize(module: Module) -> bool:
    """Whether a module can be given another rank."""
    return is_product(module) or is_dense(module)


def resized(
    modules: Sequence[Module], wanted: Resizing, tick: Callable[[int], None]
) -> Iterator[Made]:
    """Yield each of `modules`, which `can_resize`, at its new rank.

    `tick` is called with the number of bytes of the modules that are through.

    Raises:
        Incompatible: the pieces of a module do not fit together.
        NumericError: the factors do not fit in their dtype.
        FormatError: the file does not hold what its header says.
    """
    done = 0
    for module in modules:
        yield _of_product(module, wanted) if is_product(module) else _of_dense(module, wanted)
        done += sum(tensor.nbytes for tensor in module.pieces.values())
        tick(done)


def _of_product(module: Module, wanted: Resizing) -> Made:
    shape = shape_of(module)
    ranks = wanted.ranks_of(shape)
    making = wanted.storing.making(module.name)
    stored = arithmetic().of_products([product_of(module)], ranks.choose, ranks.most, making)
    return made_of(stored, module.name, shape, wanted.storing, ranks=ranks,
                   before=module.rank)  # fmt: skip


def _of_dense(module: Module, wanted: Resizing) -> Made:
    data, shape = matrix_of(module)
    ranks = wanted.ranks_of(shape)
    making = wanted.storing.making(module.name, with_total=ranks.with_total)
    size = shape[0], len(data) // (4 * shape[0])
    stored = arithmetic().of_matrix(data, size, ranks.choose, ranks.most, making)
    return made_of(stored, module.name, shape, wanted.storing, ranks=ranks,
                   before=module.rank)  # fmt: skip
