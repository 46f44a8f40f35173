"""Sums of tensors: what the steps of a recipe make of one tensor, as long as they are linear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import pack
from typing import TypeAlias

from kanna.dtypes import FP32, DType
from kanna.errors import Incompatible
from kanna.model import TensorInfo
from kanna.plan import Copy, Output, WeightedSum
from kanna.views.computed import summed
from kanna.views.given import Given


@dataclass(frozen=True, slots=True)
class Term:
    """A tensor times a number."""

    tensor: TensorInfo
    weight: float = 1.0


# At least one term; all are of one shape.
Sum: TypeAlias = tuple[Term, ...]


def combined(parts: Iterable[tuple[Sum, float]]) -> Sum:
    """Return the sum of `parts`, each times its number; what cancels out is not read.

    Where everything does, the first tensor is left, times 0.
    """
    terms = [Term(t.tensor, t.weight * factor) for part, factor in parts for t in part]
    weights: dict[int, float] = {}
    for term in terms:
        weights[id(term.tensor.data)] = weights.get(id(term.tensor.data), 0.0) + term.weight
    first = {id(term.tensor.data): term.tensor for term in reversed(terms)}
    left = tuple(Term(first[key], weight) for key, weight in weights.items() if weight)
    return left or (Term(terms[0].tensor, 0.0),)


def constant(like: Sum, numbers: Sequence[float]) -> Sum:
    """Return a tensor of these numbers, as large as `like`.

    Raises:
        Incompatible: that has not as many.
    """
    first = like[0].tensor
    if first.numel != len(numbers):
        raise Incompatible(
            "merge.not_so_many", name=first.name, count=first.numel, numbers=len(numbers)
        )
    data = Given(pack(f"<{len(numbers)}f", *numbers))
    return (Term(TensorInfo(first.name, FP32, first.shape, data)),)


def as_tensor(terms: Sum) -> TensorInfo:
    """Return the sum as one tensor: itself if it is one, else a view, summed in fp64, in fp32.

    Raises:
        ValueError: the terms differ in size.
    """
    if len(terms) == 1 and terms[0].weight == 1:
        return terms[0].tensor
    return summed([term.tensor for term in terms], [term.weight for term in terms], double=True)


def as_output(name: str, terms: Sum, dtype: DType, shape: tuple[int, ...]) -> Output:
    """Return the sum as the output `name`: a copy where it is one tensor of that dtype.

    It is made in fp64: in fp32 the weights 0.9 and 0.1 do not sum to 1, and of fp16 models that are
    nearly equal, up to a hundredth of the numbers would come out beside the nearest.
    """
    inputs = tuple(term.tensor for term in terms)
    weights = tuple(term.weight for term in terms)
    if weights == (1.0,) and inputs[0].dtype is dtype:
        return Output(name, dtype, shape, Copy(), inputs)
    return Output(name, dtype, shape, WeightedSum(weights, double=weights != (1.0,)), inputs)
