"""`_kernel.c` once more, to the bit, with torch: for where the extension could not be built.

`kanna.kernel` imports this module, and with it torch, only then.
"""

from __future__ import annotations

from operator import index

import torch  # noqa: TID251 - this module is the door behind which torch stays

Buffer = memoryview | bytearray | bytes

# In the order of the codes.
_DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)


def weighted_sum(
    out: memoryview | bytearray,
    out_code: int,
    inputs: tuple[Buffer, ...],
    in_codes: tuple[int, ...],
    weights: tuple[float, ...],
    count: int,
    double: bool,  # noqa: FBT001 - called as the C function is
    /,
) -> tuple[int, int, int, int]:
    """Fill `out` with the weighted sum, and return the fields of `kanna.kernel.Counts`."""
    target, *sources = (_dtype(code) for code in (out_code, *in_codes))
    if not len(inputs) == len(sources) == len(weights) > 0:
        raise ValueError("inputs, codes and weights must be as many, at least one")
    for buffer, dtype in zip((out, *inputs), (target, *sources), strict=True):
        _check(buffer, dtype, count)
    view = memoryview(out).cast("B")
    if view.readonly:
        raise TypeError("the output is read-only")
    if count == 0:
        return 0, 0, 0, 0
    tensors = [_tensor(data, dtype) for data, dtype in zip(inputs, sources, strict=True)]
    is_conversion = tuple(weights) == (1.0,)
    total = _add_up(tensors, () if is_conversion else weights, _lane(target, double=double))
    total = total if _is_wide(target) else total.to(torch.float32)
    if is_conversion and sources == [target]:
        view[:] = memoryview(inputs[0]).cast("B")
    else:
        one_nan = total if is_conversion else total.masked_fill(total.isnan(), torch.nan)
        torch.frombuffer(view, dtype=torch.uint8).copy_(_round(one_nan, target).view(torch.uint8))
    return _count(total, target, tensors)


def _dtype(code: int) -> torch.dtype:
    if not 0 <= code < len(_DTYPES):
        raise ValueError(f"no number format has the code {code}")
    return _DTYPES[code]


def _check(buffer: Buffer, dtype: torch.dtype, count: int) -> None:
    view = memoryview(buffer)
    if not view.c_contiguous:
        raise BufferError("a buffer is not contiguous")
    if index(count) < 0 or view.nbytes != count * dtype.itemsize:
        raise ValueError(f"a buffer of {view.nbytes} bytes does not hold {count} of {dtype}")


def _tensor(data: Buffer, dtype: torch.dtype) -> torch.Tensor:
    """Return a copy of `data` as a tensor: the data may be unaligned and read-only."""
    raw = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return raw != 0 if dtype is torch.bool else raw.view(dtype)


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


def _overflows(total: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    """Return where a sum is Inf in `target`, or beyond its range; NaN is not."""
    if target is torch.bool:
        return total.isinf()
    if target is torch.float8_e4m3fn:
        return total.abs() > 464  # itself a tie, which goes to 448
    if target.is_floating_point:
        return total.to(target).to(total.dtype).isinf()
    limits = torch.iinfo(target)
    return (total.trunc() < limits.min) | (total.trunc() >= float(limits.max + 1))


def _round(total: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    if target is torch.bool:
        return total != 0
    if not target.is_floating_point:
        return _round_to_integers(total, target)
    if target is torch.float8_e4m3fn:
        return total.clamp(-448, 448).to(target)
    rounded = total.to(target)
    if target is torch.bfloat16:  # which NaN torch makes depends on the processor
        rounded.view(torch.int16).masked_fill_(total.isnan(), -1)
    return rounded


def _round_to_integers(total: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    limits, beyond = torch.iinfo(target), _overflows(total, target)
    whole = total.masked_fill(beyond | total.isnan(), 0).to(torch.int64)
    whole = whole.masked_fill(beyond & (total > 0), limits.max)
    return whole.masked_fill(beyond & (total < 0), limits.min).to(target)


def _count(
    total: torch.Tensor, target: torch.dtype, tensors: list[torch.Tensor]
) -> tuple[int, int, int, int]:
    is_nan, overflows = total.isnan(), _overflows(total, target)
    if not (is_nan | overflows | total.isinf()).any():
        return 0, 0, 0, 0
    values = [tensor.to(torch.float64) for tensor in tensors]
    nan_in = torch.stack([value.isnan() for value in values]).any(0)
    inf_in = torch.stack([value.isinf() for value in values]).any(0)
    masks = (is_nan, is_nan & ~nan_in, overflows & ~inf_in, inf_in)
    nan_out, nan_made, overflowed, infinite = (int(mask.sum()) for mask in masks)
    return nan_out, nan_made, overflowed, infinite
