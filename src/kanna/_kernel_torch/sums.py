"""Weighted sums between all formats: `_kernel_sum.h`."""

from __future__ import annotations

import torch  # noqa: TID251 - this package is the door behind which torch stays

from kanna._kernel_torch.encoding import make_finite
from kanna._kernel_torch.formats import (
    Buffer,
    Format,
    Out,
    check,
    format_of,
    numbers,
    store,
    writable,
)


def weighted_sum(
    out: Out,
    out_code: int,
    inputs: tuple[Buffer, ...],
    in_codes: tuple[int, ...],
    weights: tuple[float, ...],
    count: int,
    double: bool,  # noqa: FBT001 - called as the C function is
    /,
) -> tuple[int, int, int, int]:
    """Fill `out` with the weighted sum, and return the fields of `kanna.kernel.Counts`."""
    form, *sources = (format_of(code) for code in (out_code, *in_codes))
    if not len(inputs) == len(sources) == len(weights) > 0:
        raise ValueError("inputs, codes and weights must be as many, at least one")
    for buffer, source in zip((out, *inputs), (form, *sources), strict=True):
        check(buffer, source, count)
    is_conversion = tuple(weights) == (1.0,)
    is_copy = is_conversion and sources == [form]
    if form.is_blocks and form.write is None and not is_copy:
        raise ValueError(f"blocks of code {out_code} are only read")
    view, target = writable(out), form.dtype
    if count == 0:
        return 0, 0, 0, 0
    tensors = [numbers(data, source) for data, source in zip(inputs, sources, strict=True)]
    total = _add_up(tensors, () if is_conversion else weights, _lane(target, double=double))
    total = total if _is_wide(target) else total.to(torch.float32)
    counts = _count(total, target, tensors)
    if is_copy:
        view[:] = memoryview(inputs[0]).cast("B")
        return counts
    one_nan = not is_conversion or sources[0].is_blocks
    total = total.masked_fill(total.isnan(), torch.nan) if one_nan else total
    if form.write is None:
        store(out, round_to(total, target))
        return counts
    nan_out, nan_made, overflowed, infinite = counts
    return nan_out, nan_made, overflowed + _write_blocks(out, form, total), infinite


def _write_blocks(out: Out, form: Format, total: torch.Tensor) -> int:
    """Encode what is finite, and return how many numbers went with a scale beyond fp16."""
    assert form.write is not None
    rows = total.view(-1, form.elements)
    raw = form.write(make_finite(rows))
    store(out, raw)
    fields = raw[:, : _HALVES[form.bytes]].contiguous().view(torch.float16)
    beyond = ~fields.isfinite().all(1, keepdim=True)
    return int((beyond & rows.isfinite()).sum())


# Bytes of fp16 numbers at the head of a block: its scale, and its least value where it has one.
_HALVES = {18: 2, 20: 4, 22: 2, 24: 4, 34: 2}


def _is_wide(target: torch.dtype) -> bool:
    return target is torch.float64 or not target.is_floating_point


def _lane(target: torch.dtype, *, double: bool) -> torch.dtype:
    return torch.float64 if double or _is_wide(target) else torch.float32


def _add_up(
    tensors: list[torch.Tensor], weights: tuple[float, ...], lane: torch.dtype
) -> torch.Tensor:
    """Sum in `lane`, in order; without `weights` there is one tensor, which is only widened."""
    if not weights:
        return tensors[0].to(lane)
    total, *products = (
        tensor.to(lane) * torch.tensor(weight, dtype=torch.float64).to(lane)
        for tensor, weight in zip(tensors, weights, strict=True)
    )
    for product in products:
        total += product
    return total


def overflows(total: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    """Return where a sum is Inf in `target`, or beyond its range; NaN is not."""
    if target is torch.bool:
        return total.isinf()
    if target is torch.float8_e4m3fn:
        return total.abs() > 464  # itself a tie, which goes to 448
    if target.is_floating_point:
        return total.to(target).to(total.dtype).isinf()
    limits = torch.iinfo(target)
    return (total.trunc() < limits.min) | (total.trunc() >= float(limits.max + 1))


def round_to(total: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    """Round sums to a format, as the kernel does."""
    if target is torch.bool:
        return total != 0
    if not target.is_floating_point:
        return _to_integers(total, target)
    if target is torch.float8_e4m3fn:
        return total.clamp(-448, 448).to(target)
    rounded = total.to(target)
    if target is torch.bfloat16:  # which NaN torch makes depends on the processor
        rounded.view(torch.int16).masked_fill_(total.isnan(), -1)
    return rounded


def _to_integers(total: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    limits, beyond = torch.iinfo(target), overflows(total, target)
    whole = total.masked_fill(beyond | total.isnan(), 0).to(torch.int64)
    whole = whole.masked_fill(beyond & (total > 0), limits.max)
    return whole.masked_fill(beyond & (total < 0), limits.min).to(target)


def _count(
    total: torch.Tensor, target: torch.dtype, tensors: list[torch.Tensor]
) -> tuple[int, int, int, int]:
    is_nan, too_great = total.isnan(), overflows(total, target)
    if not (is_nan | too_great | total.isinf()).any():
        return 0, 0, 0, 0
    values = [tensor.to(torch.float64) for tensor in tensors]
    nan_in = torch.stack([value.isnan() for value in values]).any(0)
    inf_in = torch.stack([value.isinf() for value in values]).any(0)
    masks = (is_nan, is_nan & ~nan_in, too_great & ~inf_in, inf_in)
    nan_out, nan_made, overflowed, infinite = (int(mask.sum()) for mask in masks)
    return nan_out, nan_made, overflowed, infinite
