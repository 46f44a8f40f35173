"""How much of files tensors are made of, whatever views stand between."""

from __future__ import annotations

from collections.abc import Iterable

from kanna.model import Data, FileRun, TensorInfo
from kanna.views.computed import Computed
from kanna.views.given import Given
from kanna.views.runs import Chain, Cut
from kanna.views.turned import Transposed


def stored_bytes(tensors: Iterable[TensorInfo]) -> int:
    """Return the bytes of stored data that `tensors` are made of, all of it counted once."""
    left: list[tuple[Data, int]] = [(one.data, one.nbytes) for one in tensors]
    seen: set[object] = set()
    total = 0
    while left:
        data, nbytes = left.pop()
        key = data if isinstance(data, FileRun) else id(data)
        if key not in seen:
            seen.add(key)
            beneath = _beneath(data, nbytes)
            left += beneath or ()
            total += _size(data, nbytes) if beneath is None else 0
    return total


def _beneath(data: Data, nbytes: int) -> list[tuple[Data, int]] | None:
    """Return what a view is made of, each with its size; None for what is no view."""
    match data:
        case Computed():
            return [(one.data, one.nbytes) for one in data.inputs]
        case Chain():
            sizes = (end - start for start, end in zip((0, *data.ends), data.ends, strict=False))
            return list(zip(data.links, sizes, strict=True))
        case Cut() | Transposed():
            return [(data.source, nbytes)]
    return None


def _size(data: Data, nbytes: int) -> int:
    match data:
        case FileRun():
            return data.nbytes
        case Given():
            return len(data.data)
    return nbytes
