"""Digests that name what is inside a file, whatever the file around it looks like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from kanna.dtypes import DType
from kanna.kernel import weighted_sum
from kanna.model import TensorInfo

_CHUNK: Final = 1 << 22


def component_digest(tensors: Mapping[str, TensorInfo], dtype: DType) -> str:
    """Return the SHA-256 that identifies a component by its numbers.

    `tensors` maps canonical names (without prefix) to tensors. Names are taken in sorted order,
    each followed by a zero byte and its row-major data, floating data rounded to `dtype`. So the
    digest does not change with the order, the prefix, the container, or a precision above `dtype`;
    shapes do not enter, because 1x1 convolutions are stored as matrices by some programs.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
        for block in _blocks(tensors[name], dtype):
            digest.update(block)
    return digest.hexdigest()


def component_digests(components: Sequence[Mapping[str, TensorInfo]], dtype: DType) -> list[str]:
    """Return the digest of each component, computed side by side."""
    with ThreadPoolExecutor(len(components)) as pool:
        return list(pool.map(partial(component_digest, dtype=dtype), components))


def _blocks(tensor: TensorInfo, dtype: DType) -> Iterator[memoryview]:
    """Yield the tensor's data in pieces, floats rounded to `dtype`."""
    if not tensor.dtype.is_float or tensor.dtype is dtype:
        yield from tensor.pieces(_CHUNK)
        return
    target = bytearray()
    for piece in tensor.pieces(_CHUNK):
        count = len(piece) * 8 // tensor.dtype.bits
        size = dtype.nbytes(count)
        if len(target) < size:
            target = bytearray(size)
        out = memoryview(target)[:size]
        weighted_sum(out, dtype, [piece], [tensor.dtype], (1.0,), count)
        yield out
