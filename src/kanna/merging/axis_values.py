"""The values of an axis as people write them: ``0.1:0.9:0.1`` or ``0.1,0.3,0.5``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from kanna.errors import UsageError

MOST_VALUES: Final = 1000
_LONGEST: Final = 10_000


def values_of(text: str) -> tuple[float, ...]:
    """Return the numbers that `text` means: both ends of a range belong to it.

    A range counts in decimals, so that ``0.1:0.9:0.1`` has 0.3 and nothing beside it.

    Raises:
        UsageError: it means none, or more than a thousand.
    """
    parts = text[:_LONGEST].split(":")
    if len(parts) == 1:
        return tuple(float(_decimal(part, text)) for part in text[:_LONGEST].split(","))
    if len(parts) != 3:
        raise UsageError("recipe.no_axis", axis=text)
    first, last, step = (_decimal(part, text) for part in parts)
    if not step or (last - first) / step < 0:
        raise UsageError("recipe.axis_step", axis=text)
    count = (last - first) / step
    if count >= MOST_VALUES:
        raise UsageError("recipe.axis_long", axis=text, most=MOST_VALUES)
    return tuple(float(first + step * index) for index in range(int(count) + 1))


def _decimal(part: str, text: str) -> Decimal:
    try:
        value = Decimal(part.strip())
    except InvalidOperation:
        raise UsageError("recipe.no_axis", axis=text) from None
    if not value.is_finite() or abs(value.adjusted()) > 15:
        raise UsageError("recipe.no_axis", axis=text)
    return value
