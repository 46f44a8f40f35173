"""What modules add to some rows of a tensor, put where it belongs in the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanna.dtypes import FP32
from kanna.errors import Incompatible
from kanna.lora.deltas import added, added_to_bias, is_linear
from kanna.lora.modules import Module
from kanna.lora.places import Share, Slot
from kanna.merging.terms import Sum, Term, as_tensor
from kanna.model import TensorInfo
from kanna.views import joined, rows, transposed
from kanna.views.computed import computed, copies_of, summed
from kanna.views.given import zeros


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one module adds to the rows `rows` of a tensor.

    They are the share `of` of the `total` rows that the module's layer has. With `turned` the
    tensor is the layer's matrix transposed; `bias` says which of the two it is, `encoder` whether
    it is a text encoder's.
    """

    module: Module
    rows: tuple[int, int]
    of: Share
    total: int
    turned: bool = False
    bias: bool = False
    encoder: bool = False

    def terms(self, tensor: TensorInfo, strength: float) -> Sum:
        """Return what the module adds to its rows of `tensor`.

        Raises:
            Incompatible: it does not fit them.
            MissingExtra: it takes torch, which is not installed.
        """
        here = rows(tensor, *self.rows) if self.rows != (0, tensor.shape[0]) else tensor
        here = transposed(here) if self.turned else here
        total = here.shape[0] if self.turned else self.total
        first = self.of[0] * total // self.of[2]
        if self.bias:
            return added_to_bias(self.module, here, strength, height=total, first=first)
        terms = added(self.module, here, strength, height=total, first=first)
        if not self.turned:
            return terms
        return tuple(Term(transposed(term.tensor), term.weight) for term in terms)

    def check(self, tensor: TensorInfo) -> None:
        """Refuse a tensor that the module does not fit; nothing is read of it.

        Raises:
            Incompatible: it does not fit.
            MissingExtra: it takes torch, which is not installed.
        """
        self.terms(tensor, 1.0)


def span(tensor: TensorInfo, share: Share, slot: Slot) -> tuple[int, int]:
    """Return the rows of `tensor` that are the `share` of it.

    Raises:
        Incompatible: it has no such rows.
    """
    height = tensor.shape[0] if tensor.shape else 0
    begin, end, total = share
    if not height or height % total:
        raise Incompatible("lora.no_rows", name=slot.tensor)
    return begin * height // total, end * height // total


def placed(tensor: TensorInfo, strength: float, *, parts: Sequence[Part]) -> Sum:
    """Return what all `parts` add to `tensor`, at `strength`.

    Raises:
        Incompatible: one does not fit.
        MissingExtra: one takes torch, which is not installed.
    """
    terms: list[Term] = []
    layers: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: part.rows):
        if part.rows == (0, tensor.shape[0]):
            terms += part.terms(tensor, strength)
            continue
        free = next((one for one in layers if one[-1].rows[1] <= part.rows[0]), None)
        if free is None:
            layers.append([part])
        else:
            free.append(part)
    for layer in layers:
        linear = all(is_linear(part.module) for part in layer)
        made = _stacked(tensor, layer, 1.0 if linear else strength)
        terms.append(Term(made, strength if linear else 1.0))
    return tuple(terms)


def _stacked(tensor: TensorInfo, parts: Sequence[Part], strength: float) -> TensorInfo:
    """Return what `parts` add, one below the other, as one tensor with zeros between them."""
    every: list[TensorInfo] = []
    done, rest = 0, tensor.shape[1:]
    for part in parts:
        start, stop = part.rows
        every += _gap(tensor, start - done)
        every.append(_fp32(as_tensor(part.terms(tensor, strength)), (stop - start, *rest)))
        done = stop
    every += _gap(tensor, tensor.shape[0] - done)
    made = joined(every)

    def run(first: int, count: int, out: memoryview) -> None:
        del count
        made.data.read_into(4 * first, out)

    return computed(
        tensor.name, tensor.shape, run, numel=tensor.numel, whole=made.data.whole,
        copies=max(map(copies_of, every)), inputs=every,
    )  # fmt: skip


def _gap(tensor: TensorInfo, height: int) -> list[TensorInfo]:
    return [zeros(tensor.name, FP32, (height, *tensor.shape[1:]))] if height else []


def _fp32(tensor: TensorInfo, shape: tuple[int, ...]) -> TensorInfo:
    """Return a tensor in fp32 and in `shape`."""
    made = tensor if tensor.dtype is FP32 else summed([tensor], [1.0])
    return TensorInfo(made.name, made.dtype, shape, made.data)
