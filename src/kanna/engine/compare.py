"""How far the numbers that a reader will get are from those that went in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from kanna.dtypes import FP32, DType
from kanna.kernel import Comparison, compare
from kanna.plan import Plan

_SLICE: Final = 1 << 16  # elements: decoded, they stay in the processor's cache

# Fills a buffer with a run of the decoded numbers, as fp32: its start, its length, the buffer.
Decode: TypeAlias = Callable[[int, int, memoryview], None]


def compared(data: memoryview, dtype: DType, count: int, decode: Decode) -> Comparison:
    """Compare `count` numbers in `data` with what `decode` makes of their encoded form."""
    decoded = memoryview(bytearray(4 * min(count, _SLICE)))
    total = Comparison()
    for start in range(0, count, _SLICE):
        size = min(_SLICE, count - start)
        back = decoded[: 4 * size]
        decode(start, size, back)
        before = data[dtype.nbytes(start) : dtype.nbytes(start + size)]
        total += compare(before, dtype, back, FP32, size)
    return total


def by_name(plan: Plan, found: Iterable[tuple[int, int, Comparison]]) -> dict[str, Comparison]:
    """Add up comparisons by output index and place, so that the sums are the same in every run."""
    totals: dict[int, Comparison] = {}
    for index, _, comparison in sorted(found, key=lambda one: one[:2]):
        totals[index] = totals.get(index, Comparison()) + comparison
    return {plan.outputs[index].name: total for index, total in totals.items()}
