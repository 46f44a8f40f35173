"""What numbers measure: `_kernel_measures.h`."""

from __future__ import annotations

import torch  # noqa: TID251 - this package is the door behind which torch stays

from kanna._kernel_torch.formats import Buffer, check, format_of, numbers

_LANES = 8


def max_abs(data: Buffer, code: int, count: int, /) -> tuple[float, int]:
    """Return the greatest finite magnitude, and how many numbers are not finite."""
    form = format_of(code)
    check(data, form, count)
    values = numbers(data, form).to(torch.float64)
    finite = values.isfinite()
    greatest = values.abs().masked_fill(~finite, 0).max().item() if count else 0.0
    return greatest, count - int(finite.sum())


def compare(
    first: Buffer, first_code: int, second: Buffer, second_code: int, count: int, /
) -> tuple[int, float, float, float, float, float]:
    """Return the fields of `kanna.kernel.Comparison`.

    Sums are made as in the C loops, lane by lane and one after the other, for the same bits.
    """
    forms = format_of(first_code), format_of(second_code)
    for data, form in zip((first, second), forms, strict=True):
        check(data, form, count)
    x, y = (
        numbers(d, form).to(torch.float64) for d, form in zip((first, second), forms, strict=True)
    )
    finite = x.isfinite() & y.isfinite()
    x, y = (values.masked_fill(~finite, 0) for values in (x, y))
    difference = (x - y).abs()
    products = (x * x, y * y, x * y, difference * difference)
    xx, yy, xy, dd = (_sum_in_lanes(values) for values in products)
    largest = difference.max().item() if count else 0.0
    return int(finite.sum()), xx, yy, xy, dd, largest


def _sum_in_lanes(values: torch.Tensor) -> float:
    filling = values.new_zeros(-len(values) % _LANES)
    rows = torch.cat([values.new_zeros(_LANES), values, filling]).view(-1, _LANES)
    total = 0.0
    for lane in rows.cumsum(0)[-1].tolist():  # which adds one row after the other
        total += lane
    return total
