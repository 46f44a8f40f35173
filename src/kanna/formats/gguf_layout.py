"""How a GGUF file is laid out: typed values, a list of tensors, then their data, each aligned.

``extras["gguf"]`` is `Typed` values by key; metadata are texts, where no typed value has the key.
Shapes that the container or a quantisation cannot hold are folded, and kept in the values under
``comfy.gguf.orig_shape.NAME``, where ComfyUI-GGUF and InvokeAI look for them; a caller who puts
such a key in asks for the folding.

Sources: docs/gguf.md of the ggml project; ggml.h, gguf.cpp (at most four dimensions, data padded
to the alignment at its end too); city96/ComfyUI-GGUF tools/convert.py and loader.py (rows of 256,
names of at most 127 bytes, which is also what stable-diffusion.cpp allows).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, cast

from kanna.dtypes import DType
from kanna.errors import Incompatible
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.formats.gguf_typed import Typed, i32_array, string, string_bytes
from kanna.formats.gguf_values import HEADER_LIMIT, ORIGINAL_SHAPE
from kanna.formats.layout import Block, FileLayout, Metadata, Spec, check_text

ALIGNMENT: Final = 32
ROW: Final = 256  # the length of folded rows: a whole number of blocks of every type
MOST_DIMS: Final = 4
LONGEST_NAME: Final = 127  # bytes
_LARGEST_SIZE: Final = 2**31 - 1
_VERSION: Final = 3
_NUMBERS: Final = {dtype: number for number, dtype in GGML_TYPES.items()}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tensor as it stands in the list: dimensions in torch's order, data from `offset` on."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    offset: int

    @property
    def nbytes(self) -> int:
        return self.dtype.nbytes(prod(self.shape))

    @property
    def encoded(self) -> bytes:
        dims = struct.pack(f"<I{len(self.shape)}Q", len(self.shape), *reversed(self.shape))
        return (
            string_bytes(self.name) + dims + struct.pack("<IQ", _NUMBERS[self.dtype], self.offset)
        )


def arrange(specs: Sequence[Spec], metadata: Metadata, extras: Mapping[str, object]) -> FileLayout:
    """Return the layout; of `extras` only ``gguf`` has a place in this container.

    Raises:
        Incompatible: a dtype has no number here, a name or the header is too long, or a tensor
            cannot be cut into blocks or folded.
    """
    values = dict(cast("Mapping[str, Typed]", extras.get("gguf", {})))
    for text in (*values, *metadata.filled(), *metadata.filled().values()):
        check_text(text)
    entries = _entries(specs, values)
    shapes = {name: shape for name, _, shape in specs}
    for entry in entries:
        if entry.shape != shapes[entry.name]:
            values |= kept_shape(entry.name, shapes[entry.name])
    head = _head(metadata.filled(), values, entries)
    if len(head) > HEADER_LIMIT:
        raise Incompatible("layout.gguf_header_too_large", size=len(head), limit=HEADER_LIMIT)
    start = _aligned(len(head))

    def blocks(digest: str, crcs: Sequence[int]) -> Iterator[Block]:
        del crcs
        final = _head(metadata.filled(digest), values, entries)
        yield 0, final.ljust(start, b"\0")
        yield from _padding(entries, start)

    return FileLayout(
        size=start + (_aligned(entries[-1].offset + entries[-1].nbytes) if entries else 0),
        offsets=tuple(start + entry.offset for entry in entries),
        blocks=blocks,
        wants_digest=bool(metadata.digest_fields),
        wants_crcs=False,
        stated={key: one.text for key, one in values.items() if one.text is not None},
    )


def folded(shape: tuple[int, ...], dtype: DType, *, rows: bool = False) -> tuple[int, ...] | None:
    """Return the shape in which such a tensor can stand in the file, None if it cannot.

    With `rows` it is cut into rows of 256 where it has that many numbers, whatever it is.
    """
    count = prod(shape)
    block = dtype.elements if isinstance(dtype, BlockType) else 1
    if not count:
        return (0,)
    if (rows or (shape or (1,))[-1] % block) and count % ROW == 0:
        return count // ROW, ROW
    if (shape or (1,))[-1] % block:
        return None if count % block else (count // block, block)
    extra = len(shape) - MOST_DIMS
    return shape if extra <= 0 else (prod(shape[: extra + 1]), *shape[extra + 1 :])


def kept_shape(name: str, shape: tuple[int, ...]) -> dict[str, Typed]:
    """Return the value that keeps the shape of a tensor that is folded, by its key.

    Raises:
        Incompatible: a size is beyond the 32 bits in which readers look for it.
    """
    if any(size > _LARGEST_SIZE for size in shape):
        raise Incompatible("layout.gguf_size", name=name, shape=str(shape), limit=_LARGEST_SIZE)
    return {ORIGINAL_SHAPE + name: i32_array(shape)}


def _entries(specs: Sequence[Spec], values: Mapping[str, Typed]) -> list[_Entry]:
    entries: list[_Entry] = []
    offset = 0
    for name, dtype, shape in specs:
        if dtype not in _NUMBERS:
            raise Incompatible("layout.dtype", name=name, dtype=dtype.word, container="gguf")
        if len(name.encode()) > LONGEST_NAME:
            raise Incompatible("layout.gguf_name", name=name, limit=LONGEST_NAME)
        stored = folded(shape, dtype, rows=ORIGINAL_SHAPE + name in values)
        if stored is None:
            raise Incompatible("layout.gguf_blocks", name=name, type=dtype.word, shape=str(shape))
        entries.append(_Entry(name, dtype, stored, offset))
        offset = _aligned(offset + entries[-1].nbytes)
    return entries


def _head(
    metadata: Mapping[str, str], values: Mapping[str, Typed], entries: Sequence[_Entry]
) -> bytes:
    texts = {key: string(text) for key, text in metadata.items()}
    # what readers ask for first comes first, as ggml's own writers do it
    ordered = dict(sorted({**texts, **values}.items(), key=lambda item: _place(item[0])))
    pieces = [struct.pack("<4sIQQ", b"GGUF", _VERSION, len(entries), len(ordered))]
    pieces += [string_bytes(key) + value.encoded for key, value in ordered.items()]
    pieces += [entry.encoded for entry in entries]
    return b"".join(pieces)


def _place(key: str) -> int:
    if key == "general.architecture":
        return 0
    return 1 if key.startswith("general.") else 3 if key.startswith(ORIGINAL_SHAPE) else 2


def _padding(entries: Sequence[_Entry], start: int) -> Iterator[Block]:
    for entry in entries:
        end = entry.offset + entry.nbytes
        if gap := _aligned(end) - end:
            yield start + end, bytes(gap)


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
