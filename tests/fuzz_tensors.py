"""What is fuzzed of tensors: views of any shape, other layouts of any names, GGUF of any of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations
from math import prod
from typing import Final

from kanna.dtypes import FP32, SAFETENSORS, DType
from kanna.errors import Incompatible
from kanna.families.key_maps import layouts_of
from kanna.families.name_tables import name_tables
from kanna.formats.ggml_types import GGML_TYPES
from kanna.formats.gguf_layout import kept_shape
from kanna.formats.layout import FileLayout, arrange
from kanna.model import Extent, TensorInfo
from kanna.ops.relayout import relayout
from kanna.views import joined, reshaped, rows, transposed
from kanna.views.decoded import as_fp32, scaled

_MOST_READ: Final = 1 << 12
_DTYPES: Final[Sequence[DType]] = list(dict.fromkeys([*SAFETENSORS.values(), *GGML_TYPES.values()]))
LAYOUTS: Final = [
    (table, *pair) for table in sorted(name_tables()) for pair in permutations(layouts_of(table), 2)
]


@dataclass(frozen=True)
class Pattern:
    """As much data as anybody asks for: every byte is its place."""

    whole: bool = False

    def extent(self) -> Extent | None:
        return None

    def read_into(self, start: int, out: memoryview) -> None:
        out[:] = (bytes(range(256)) * (len(out) // 256 + 2))[start % 256 :][: len(out)]


def _size(byte: int) -> int:
    """Small sizes, and for the highest bytes such as no tensor has."""
    return byte % 24 if byte < 250 else 1 << (8 * (byte - 249))


def _tensors(text: str) -> Iterator[TensorInfo]:
    """A tensor for each line: its name, a blank, a letter for its dtype, one for each size.

    They are such as readers give: of whole blocks, and no larger than a file can be.
    """
    for line in text.split("\n"):
        name, _, rest = line.partition(" ")
        dtype = _DTYPES[ord(rest[0]) % len(_DTYPES)] if rest else _DTYPES[0]
        shape = tuple(_size(ord(letter) % 256) for letter in rest[1:7])
        if dtype.nbytes(256 * prod(shape)) != 256 * dtype.nbytes(prod(shape)) or prod(shape) >> 48:
            shape = ()
            dtype = _DTYPES[0]
        yield TensorInfo(name, dtype, shape, Pattern())


_STEPS: Final[Sequence[Callable[[TensorInfo, int, int], TensorInfo]]] = (
    lambda tensor, a, b: rows(tensor, _size(a), _size(a) + _size(b)),
    lambda tensor, a, _: joined([tensor] * (a % 4)),
    lambda tensor, a, b: joined([rows(tensor, a % 3, b % 5), tensor]),
    lambda tensor, *_: transposed(tensor),
    lambda tensor, a, b: reshaped(tensor, (_size(a), _size(b))),
    lambda tensor, *_: reshaped(tensor, (tensor.numel,)),
    lambda tensor, *_: as_fp32(tensor) if tensor.dtype.code is not None else tensor,
    lambda tensor, a, _: scaled(tensor, TensorInfo("s", FP32, (_size(a),), Pattern())),
)


def views(data: bytes) -> None:
    """Put views on a tensor, one for three bytes, seven at most; what does not fit is a ValueError."""
    first, *_ = _tensors(data[:8].decode("latin-1"))
    tensor = first
    for step, a, b in zip(*(data[8 + n : 29 : 3] for n in range(3)), strict=False):
        with suppress(ValueError):
            tensor = _STEPS[step % len(_STEPS)](tensor, a, b)
    if tensor.nbytes <= _MOST_READ and (first.nbytes <= _MOST_READ or not tensor.data.whole):
        whole = tensor.read()
        assert b"".join(map(bytes, tensor.pieces(7))) == whole


def relaid(data: bytes) -> None:
    """Bring any names into another layout and back: nothing is lost, nothing comes twice."""
    table, source, target = LAYOUTS[(data[0] if data else 0) % len(LAYOUTS)]
    tensors = {tensor.name: tensor for tensor in _tensors(data[1:].decode("utf-8", "replace"))}
    with suppress(Incompatible):
        there = relayout(tensors, table, source=source, target=target)
        back = relayout(there.tensors, table, source=target, target=source)
        assert not set(there.unmapped) - set(tensors)
        if not name_tables()[table].get("reads_also"):
            assert {*back.tensors, *there.unmapped} == set(tensors)
            assert _shapes(back.tensors) == _shapes({name: tensors[name] for name in back.tensors})


def _shapes(tensors: Mapping[str, TensorInfo]) -> dict[str, tuple[DType, tuple[int, ...]]]:
    """Dtypes and shapes; a 1x1 convolution counts as the matrix that it is elsewhere."""
    return {
        name: (one.dtype, one.shape[:2] if one.shape[2:] == (1, 1) else one.shape)
        for name, one in tensors.items()
    }


def gguf_file(data: bytes) -> tuple[list[TensorInfo], bytes] | None:
    """Tensors that GGUF can hold, and the file that is laid out for them; None if it cannot.

    Of every name with a ``+`` the folding is asked for.
    """
    tensors = list(_tensors(data.decode("utf-8", "replace")))
    with suppress(Incompatible):
        kept = [kept_shape(one.name, one.shape) for one in tensors if "+" in one.name]
        values = {key: value for one in kept for key, value in one.items()}
        specs = [(one.name, one.dtype, one.shape) for one in tensors]
        layout = arrange("gguf", specs, metadata={}, digest_fields={}, extras={"gguf": values})
        if layout.size <= 1 << 16:
            return tensors, _put_together(layout, tensors)
    return None


def _put_together(layout: FileLayout, tensors: Sequence[TensorInfo]) -> bytes:
    file = bytearray(layout.size)
    for offset, block in layout.blocks("0" * 64, ()):
        file[offset : offset + len(block)] = block
    for offset, tensor in zip(layout.offsets, tensors, strict=True):
        file[offset : offset + tensor.nbytes] = tensor.read()
    return bytes(file)
