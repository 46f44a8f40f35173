"""GGUF's blocks as numbers: `_kernel_blocks.h`, its reading half, for all blocks at once.

Every function takes the bytes of n blocks as a matrix of n rows and returns the fp32 numbers so.
"""

from __future__ import annotations

import torch  # noqa: TID251 - this package is the door behind which torch stays

_IQ4 = torch.tensor(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], dtype=torch.float32
)
# Doubled, and the scale halved.
_FP4 = torch.tensor([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], dtype=torch.float32)


def half(raw: torch.Tensor, place: int) -> torch.Tensor:
    """Return the fp16 number at a byte of each block, as a column."""
    return raw[:, place : place + 2].contiguous().view(torch.float16).to(torch.float32)


def _shifted(raw: torch.Tensor, shifts: tuple[int, ...], mask: int, width: int) -> torch.Tensor:
    """Cut rows into groups of `width` bytes, and take of each group the bits at every shift."""
    parts = raw.to(torch.int32).view(len(raw), -1, 1, width)
    return (parts >> torch.tensor(shifts, dtype=torch.int32).view(-1, 1)) & mask


def _nibbles(raw: torch.Tensor) -> torch.Tensor:
    """Return the low halves of all bytes of a block, then the high ones."""
    return _shifted(raw, (0, 4), 15, raw.shape[1]).flatten(1)


def _fifth_bits(raw: torch.Tensor) -> torch.Tensor:
    """Return the 32 bits of 4 bytes, the lowest first, each in the place of 16."""
    bits = raw.to(torch.int32).unsqueeze(2) >> torch.arange(8, dtype=torch.int32) & 1
    return bits.flatten(1) << 4


def _times(scales: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Multiply each part of a block by the scale of that part."""
    parts = whole.reshape(len(whole), scales.shape[1], -1).to(torch.float32)
    return scales.unsqueeze(2) * parts


def _minus(parts: torch.Tensor, least: torch.Tensor) -> torch.Tensor:
    return (parts - least.unsqueeze(2)).flatten(1)


def q4_0(raw: torch.Tensor) -> torch.Tensor:
    return half(raw, 0) * (_nibbles(raw[:, 2:]) - 8).to(torch.float32)


def q4_1(raw: torch.Tensor) -> torch.Tensor:
    return half(raw, 0) * _nibbles(raw[:, 4:]).to(torch.float32) + half(raw, 2)


def q5_0(raw: torch.Tensor) -> torch.Tensor:
    whole = _nibbles(raw[:, 6:]) | _fifth_bits(raw[:, 2:6])
    return half(raw, 0) * (whole - 16).to(torch.float32)


def q5_1(raw: torch.Tensor) -> torch.Tensor:
    whole = _nibbles(raw[:, 8:]) | _fifth_bits(raw[:, 4:8])
    return half(raw, 0) * whole.to(torch.float32) + half(raw, 2)


def q8_0(raw: torch.Tensor) -> torch.Tensor:
    return raw[:, 2:].contiguous().view(torch.int8).to(torch.float32) * half(raw, 0)


def iq4_nl(raw: torch.Tensor) -> torch.Tensor:
    return half(raw, 0) * _IQ4[_nibbles(raw[:, 2:]).to(torch.int64)]


def mxfp4(raw: torch.Tensor) -> torch.Tensor:
    power = raw[:, :1].to(torch.int32)
    bits = torch.where(power < 2, 0x00200000 << power.clamp(max=1), (power - 1) << 23)
    return bits.view(torch.float32) * _FP4[_nibbles(raw[:, 1:]).to(torch.int64)]


def q2_k(raw: torch.Tensor) -> torch.Tensor:
    scales = half(raw, 80) * (raw[:, :16] & 15).to(torch.float32)
    least = half(raw, 82) * (raw[:, :16] >> 4).to(torch.float32)
    return _minus(_times(scales, _shifted(raw[:, 16:80], (0, 2, 4, 6), 3, 32)), least)


def q3_k(raw: torch.Tensor) -> torch.Tensor:
    low = _shifted(raw[:, 96:104], (0, 4), 15, 8).flatten(1)
    high = _shifted(raw[:, 104:108], (0, 2, 4, 6), 3, 4).flatten(1)
    scales = half(raw, 108) * ((low | high << 4) - 32).to(torch.float32)
    third = _shifted(raw[:, :32], tuple(range(8)), 1, 32).flatten(1)
    whole = _shifted(raw[:, 32:96], (0, 2, 4, 6), 3, 32).flatten(1) - 4 * (1 - third)
    return _times(scales, whole).flatten(1)


def _six_bits(raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the eight scales and the eight least values in 12 bytes."""
    first, second, third = raw.to(torch.int32).chunk(3, dim=1)
    scales = torch.cat([first & 63, (third & 15) | (first >> 2 & 48)], dim=1)
    least = torch.cat([second & 63, third >> 4 | (second >> 2 & 48)], dim=1)
    return scales.to(torch.float32), least.to(torch.float32)


def q4_k(raw: torch.Tensor) -> torch.Tensor:
    scales, least = _six_bits(raw[:, 4:16])
    whole = _shifted(raw[:, 16:], (0, 4), 15, 32)
    return _minus(_times(half(raw, 0) * scales, whole), half(raw, 2) * least)


def q5_k(raw: torch.Tensor) -> torch.Tensor:
    scales, least = _six_bits(raw[:, 4:16])
    fifth = _shifted(raw[:, 16:48], tuple(range(8)), 1, 32).flatten(1)
    whole = _shifted(raw[:, 48:], (0, 4), 15, 32).flatten(1) | fifth << 4
    return _minus(_times(half(raw, 0) * scales, whole), half(raw, 2) * least)


def q6_k(raw: torch.Tensor) -> torch.Tensor:
    scales = raw[:, 192:208].contiguous().view(torch.int8).to(torch.float32)
    low = _shifted(raw[:, :128], (0, 4), 15, 64).flatten(1)
    high = _shifted(raw[:, 128:192], (0, 2, 4, 6), 3, 32).flatten(1)
    return _times(half(raw, 208) * scales, (low | high << 4) - 32).flatten(1)


def iq4_xs(raw: torch.Tensor) -> torch.Tensor:
    low = _shifted(raw[:, 4:8], (0, 4), 15, 1).flatten(1)
    high = _shifted(raw[:, 2:4], (0, 2, 4, 6), 3, 1).flatten(1)
    scales = half(raw, 0) * ((low | high << 4) - 32).to(torch.float32)
    return _times(scales, _IQ4[_shifted(raw[:, 8:], (0, 4), 15, 16).to(torch.int64)]).flatten(1)


def _threes(raw: torch.Tensor, powers: tuple[int, ...]) -> torch.Tensor:
    """Return digits to base 3 of fractions of 256: the first of all bytes, then the second ones."""
    factors = torch.tensor(powers, dtype=torch.int32).view(-1, 1)
    fractions = raw.to(torch.int32).unsqueeze(1) * factors & 255
    return (fractions * 3 >> 8).flatten(1)


def tq1_0(raw: torch.Tensor) -> torch.Tensor:
    powers = (1, 3, 9, 27, 81)
    parts = ((raw[:, :32], powers), (raw[:, 32:48], powers), (raw[:, 48:52], powers[:4]))
    whole = torch.cat([_threes(part, factors) for part, factors in parts], dim=1)
    return half(raw, 52) * (whole - 1).to(torch.float32)


def tq2_0(raw: torch.Tensor) -> torch.Tensor:
    whole = _shifted(raw[:, :64], (0, 2, 4, 6), 3, 32).flatten(1)
    return half(raw, 64) * (whole - 1).to(torch.float32)
