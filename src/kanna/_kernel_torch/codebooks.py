"""Numbers as places in a table: `_kernel_codebooks.h`."""

from __future__ import annotations

import torch  # noqa: TID251 - this package is the door behind which torch stays

from kanna._kernel_torch.formats import (
    Buffer,
    Format,
    Out,
    as_bytes,
    check,
    check_length,
    format_of,
    numbers,
    store,
)
from kanna._kernel_torch.sums import overflows, round_to

_LONGEST = 4096
_TARGETS = (torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2)
_LEAST = 1e-38

Counts = tuple[int, int, int, int]


def pack4(
    packed: Out, absmax: Out, data: Buffer, code: int, count: int, table: bytes, block: int, /
) -> Counts:
    """Fill `packed` and `absmax`, and return the fields of `kanna.kernel.Counts`."""
    values = _take(packed, absmax, data, code, count, block, bits=4)
    entries = _entries(table, 16)
    order = entries.argsort(stable=True)
    limits = (entries[order][:-1] + entries[order][1:]) / 2
    whole = count // block * block
    rows, rest = values[:whole].view(-1, block), values[whole:]
    greatest = rows.abs().amax(1)
    scaled = [(rows * (1 / greatest.clamp(min=_LEAST)).unsqueeze(1)).flatten()]
    if len(rest):
        last = rest.abs().amax().clamp(min=_LEAST)
        greatest = torch.cat([greatest, last.unsqueeze(0)])
        scaled.append(rest / last)
    codes = order[_rank(torch.cat([*scaled, torch.zeros(count % 2)]), limits)].to(torch.uint8)
    store(packed, codes[::2] << 4 | codes[1::2])
    store(absmax, greatest.masked_fill(greatest.isnan(), torch.nan))
    has_nan, has_inf = (_spread_over(found, block) for found in (values.isnan(), values.isinf()))
    becomes_nan = has_nan | (has_inf & values.isfinite())
    masks = (becomes_nan, becomes_nan & ~values.isnan(), values.isinf())
    nan_out, nan_made, infinite = (int(mask.sum()) for mask in masks)
    return nan_out, nan_made, 0, infinite


def pack8(
    packed: Out, absmax: Out, data: Buffer, code: int, count: int, table: bytes, block: int, /
) -> Counts:
    """Fill `packed` and `absmax`, and return the fields of `kanna.kernel.Counts`."""
    values = _take(packed, absmax, data, code, count, block, bits=8)
    entries = _entries(table, 256)
    limits = 0.5 * (entries[:-1] + entries[1:])
    rows = _rows(values, block)
    greatest = rows.abs().masked_fill(rows.isnan(), 0).amax(1)
    scaled = rows * (1 / greatest).unsqueeze(1)
    steps = ((scaled.clamp(-1, 1) + 1) * 0.5 * 65535 + 0.5).masked_fill(scaled.isnan(), 0)
    points = -1 + 2.0 * steps.to(torch.int32).to(torch.float32) / 65535
    codes = torch.bucketize(points, limits).masked_fill(scaled.isnan(), 0)
    codes = codes.masked_fill((greatest == 0).unsqueeze(1), 0)
    store(packed, codes.to(torch.uint8).flatten()[:count])
    store(absmax, greatest)
    spoiled = _spread_over(values.isinf(), block) & values.isfinite()
    return int(values.isnan().sum()), 0, int(spoiled.sum()), int(values.isinf().sum())


def unpack4(
    out: Out, code: int, packed: Buffer, absmax: Buffer, count: int, table: bytes, block: int, /
) -> Counts:
    """Fill `out`, and return the fields of `kanna.kernel.Counts`."""
    form = _check_unpacking(out, code, packed, absmax, count, block, bits=4)
    raw = as_bytes(packed)
    codes = torch.stack([raw >> 4, raw & 15], dim=1).flatten()[:count]
    return _spread(out, form, _entries(table, 16)[codes.to(torch.int64)], absmax, block)


def unpack8(
    out: Out, code: int, packed: Buffer, absmax: Buffer, count: int, table: bytes, block: int, /
) -> Counts:
    """Fill `out`, and return the fields of `kanna.kernel.Counts`."""
    form = _check_unpacking(out, code, packed, absmax, count, block, bits=8)
    entries = _entries(table, 256)[as_bytes(packed).to(torch.int64)]
    return _spread(out, form, entries, absmax, block)


def _take(
    packed: Out, absmax: Out, data: Buffer, code: int, count: int, block: int, *, bits: int
) -> torch.Tensor:
    """Return the numbers to be packed as fp32, when all arguments fit together."""
    form = format_of(code)
    if form.is_blocks:
        raise ValueError("blocks have to be read as numbers first")
    check(data, form, count)
    _check_shape(packed, absmax, count, block, bits)
    return numbers(data, form).to(torch.float32)


def _check_unpacking(
    out: Out, code: int, packed: Buffer, absmax: Buffer, count: int, block: int, *, bits: int
) -> Format:
    form = format_of(code)
    if form.is_blocks or form.dtype not in _TARGETS:
        raise ValueError(f"nothing is unpacked into code {code}")
    check(out, form, count)
    _check_shape(packed, absmax, count, block, bits)
    return form


def _check_shape(packed: Buffer, absmax: Buffer, count: int, block: int, bits: int) -> None:
    if not 0 < block <= _LONGEST or block % 2:
        raise ValueError(f"blocks are not of {block} elements")
    check_length(packed, (count * bits + 7) // 8)
    check_length(absmax, -(-count // block) * 4)


def _entries(table: bytes, count: int) -> torch.Tensor:
    check_length(table, 4 * count)
    entries = as_bytes(table).view(torch.float32)
    falls = count == 256 and bool((entries[1:] < entries[:-1]).any())
    if falls or not bool((entries.abs() <= 1).all()):
        raise ValueError("a table is of numbers from -1 to 1; of 256, rising")
    return entries


def _rank(values: torch.Tensor, limits: torch.Tensor) -> torch.Tensor:
    """Return how many limits each value exceeds: all, if it is NaN."""
    ranks = torch.zeros(len(values), dtype=torch.int64)
    for limit in limits:
        ranks += ~(limit >= values)
    return ranks


def _rows(values: torch.Tensor, block: int) -> torch.Tensor:
    """Return blocks as rows, the last one filled up with zeros."""
    filling = values.new_zeros(-len(values) % block)
    return torch.cat([values, filling]).view(-1, block)


def _spread_over(found: torch.Tensor, block: int) -> torch.Tensor:
    """Return for each element whether anything is found in its block."""
    in_block = _rows(found, block).any(1)
    return in_block.repeat_interleave(block)[: len(found)]


def _spread(out: Out, form: Format, entries: torch.Tensor, absmax: Buffer, block: int) -> Counts:
    factors = as_bytes(absmax).view(torch.float32).repeat_interleave(block)[: len(entries)]
    values = entries * factors
    values = values.masked_fill(values.isnan(), torch.nan)
    store(out, round_to(values, form.dtype))
    overflowed = overflows(values, form.dtype) & values.isfinite()
    return int(values.isnan().sum()), 0, int(overflowed.sum()), int(values.isinf().sum())
