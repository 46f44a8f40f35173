"""The number formats in the order of their codes, and buffers as tensors of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import index

import torch  # noqa: TID251 - this package is the door behind which torch stays

from kanna._kernel_torch import decoding, encoding

Buffer = memoryview | bytearray | bytes
Out = memoryview | bytearray


@dataclass(frozen=True, slots=True)
class Format:
    """A number format: its dtype in torch, fp32 for blocks; these have a function or two besides.

    `read` takes the bytes of all blocks, one in a row, `write` the numbers in the same way.
    """

    dtype: torch.dtype
    elements: int
    bytes: int
    read: Callable[[torch.Tensor], torch.Tensor] | None = None
    write: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def is_blocks(self) -> bool:
        """Whether many numbers share a scale."""
        return self.read is not None


_FLOAT = torch.float32
_FORMATS = (
    Format(torch.float64, 1, 8),
    Format(torch.float32, 1, 4),
    Format(torch.float16, 1, 2),
    Format(torch.bfloat16, 1, 2),
    Format(torch.float8_e4m3fn, 1, 1),
    Format(torch.float8_e5m2, 1, 1),
    Format(torch.int64, 1, 8),
    Format(torch.int32, 1, 4),
    Format(torch.int16, 1, 2),
    Format(torch.int8, 1, 1),
    Format(torch.uint8, 1, 1),
    Format(torch.bool, 1, 1),
    Format(_FLOAT, 32, 18, decoding.q4_0, encoding.q4_0),
    Format(_FLOAT, 32, 20, decoding.q4_1, encoding.q4_1),
    Format(_FLOAT, 32, 22, decoding.q5_0, encoding.q5_0),
    Format(_FLOAT, 32, 24, decoding.q5_1, encoding.q5_1),
    Format(_FLOAT, 32, 34, decoding.q8_0, encoding.q8_0),
    Format(_FLOAT, 256, 84, decoding.q2_k),
    Format(_FLOAT, 256, 110, decoding.q3_k),
    Format(_FLOAT, 256, 144, decoding.q4_k),
    Format(_FLOAT, 256, 176, decoding.q5_k),
    Format(_FLOAT, 256, 210, decoding.q6_k),
    Format(_FLOAT, 32, 18, decoding.iq4_nl),
    Format(_FLOAT, 256, 136, decoding.iq4_xs),
    Format(_FLOAT, 256, 54, decoding.tq1_0),
    Format(_FLOAT, 256, 66, decoding.tq2_0),
    Format(_FLOAT, 32, 17, decoding.mxfp4),
)


def format_of(code: int) -> Format:
    """Return the format with this code."""
    if not 0 <= code < len(_FORMATS):
        raise ValueError(f"no number format has the code {code}")
    return _FORMATS[code]


def check(buffer: Buffer, form: Format, count: int) -> None:
    """See that `buffer` holds exactly `count` numbers, which are whole blocks."""
    if index(count) < 0 or count % form.elements:
        raise ValueError(f"{count} numbers are no whole blocks of {form.elements}")
    check_length(buffer, count // form.elements * form.bytes)


def check_length(buffer: Buffer, length: int) -> None:
    """See that `buffer` is contiguous and of `length` bytes."""
    view = memoryview(buffer)
    if not view.c_contiguous:
        raise BufferError("a buffer is not contiguous")
    if view.nbytes != length:
        raise ValueError(f"a buffer has {view.nbytes} bytes, not {length}")


def writable(buffer: Out) -> memoryview:
    """Return the bytes of an output."""
    view = memoryview(buffer).cast("B")
    if view.readonly:
        raise TypeError("the output is read-only")
    return view


def numbers(data: Buffer, form: Format) -> torch.Tensor:
    """Return a copy of `data` as a tensor, blocks as fp32: data may be unaligned and read-only."""
    raw = as_bytes(data)
    if not len(raw):
        return torch.empty(0, dtype=form.dtype)
    if form.read is not None:
        return form.read(raw.view(-1, form.bytes)).flatten()
    return raw != 0 if form.dtype is torch.bool else raw.view(form.dtype)


def as_bytes(data: Buffer) -> torch.Tensor:
    """Return a copy of `data` as a tensor of bytes."""
    copy = bytearray(data)
    return torch.frombuffer(copy, dtype=torch.uint8) if copy else torch.empty(0, dtype=torch.uint8)


def store(out: Out, values: torch.Tensor) -> None:
    """Write the bits of `values` into `out`, which has room for just these."""
    view = writable(out)
    if len(view):
        raw = values.contiguous().flatten().view(torch.uint8)
        torch.frombuffer(view, dtype=torch.uint8).copy_(raw)
