"""Numbers as GGUF's blocks: `_kernel_blocks.h`, its writing half, for all blocks at once.

Every function takes finite fp32 numbers as a matrix of n rows of 32, and returns the bytes so.
"""

from __future__ import annotations

import torch  # noqa: TID251 - this package is the door behind which torch stays

_LOW_BITS = 0x7FFFFFFF


def make_finite(values: torch.Tensor) -> torch.Tensor:
    """Put 0 in the place of NaN, and the row's greatest finite magnitude in that of Inf."""
    most = values.abs().masked_fill(~values.isfinite(), 0).amax(1, keepdim=True)
    clipped = torch.where(values.isinf(), most.expand_as(values).copysign(values), values)
    return clipped.masked_fill(values.isnan(), 0)


def q4_0(values: torch.Tensor) -> torch.Tensor:
    scale = _greatest(values) / -8
    numbers = _whole(values, scale, 8.5, 15)
    return torch.cat([_half(scale), _nibbles(numbers)], dim=1)


def q4_1(values: torch.Tensor) -> torch.Tensor:
    least, most = _span(values)
    scale = (most - least) / 15
    numbers = _whole(values - least, scale, 0.5, 15)
    return torch.cat([_half(scale), _half(least), _nibbles(numbers)], dim=1)


def q5_0(values: torch.Tensor) -> torch.Tensor:
    scale = _greatest(values) / -16
    numbers = _whole(values, scale, 16.5, 31)
    return torch.cat([_half(scale), _fifth_bits(numbers), _nibbles(numbers)], dim=1)


def q5_1(values: torch.Tensor) -> torch.Tensor:
    least, most = _span(values)
    scale = (most - least) / 31
    numbers = _whole(values - least, scale, 0.5, 31)
    return torch.cat([_half(scale), _half(least), _fifth_bits(numbers), _nibbles(numbers)], dim=1)


def q8_0(values: torch.Tensor) -> torch.Tensor:
    scale = _greatest(values).abs() / 127
    inverse, usable = _inverse(scale)
    numbers = torch.where(usable, values * inverse, 0)
    rest = numbers - numbers.trunc()
    whole = numbers.to(torch.int32) + (rest >= 0.5).to(torch.int32) - (rest <= -0.5).to(torch.int32)
    return torch.cat([_half(scale), whole.to(torch.int8).view(torch.uint8)], dim=1)


def _greatest(values: torch.Tensor) -> torch.Tensor:
    """Return the first number of each row that has the greatest magnitude."""
    magnitudes = values.abs()
    is_greatest = magnitudes == magnitudes.amax(1, keepdim=True)
    first = (is_greatest.cumsum(1) == 0).sum(1, keepdim=True)
    return values.gather(1, first)


def _span(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least and the greatest number of each row, where -0 is less than +0."""
    bits = values.contiguous().view(torch.int32)
    places = torch.where(bits < 0, bits ^ _LOW_BITS, bits)
    ends = (places.amin(1, keepdim=True), places.amax(1, keepdim=True))
    least, most = (torch.where(end < 0, end ^ _LOW_BITS, end).view(torch.float32) for end in ends)
    return least, most


def _inverse(scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    inverse = torch.where(scale == 0, 0, 1 / scale)
    return inverse, scale.isfinite() & inverse.isfinite()


def _whole(values: torch.Tensor, scale: torch.Tensor, half: float, most: int) -> torch.Tensor:
    inverse, usable = _inverse(scale)
    return torch.where(usable, values * inverse + half, 0).to(torch.int32).clamp(max=most)


def _half(column: torch.Tensor) -> torch.Tensor:
    return column.to(torch.float16).view(torch.uint8)


def _nibbles(numbers: torch.Tensor) -> torch.Tensor:
    first, second = (numbers & 15).chunk(2, dim=1)
    return (first | second << 4).to(torch.uint8)


def _fifth_bits(numbers: torch.Tensor) -> torch.Tensor:
    bits = (numbers >> 4).view(len(numbers), 4, 8) << torch.arange(8, dtype=torch.int32)
    return bits.sum(2).to(torch.uint8)
