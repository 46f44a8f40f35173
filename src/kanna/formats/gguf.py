"""GGUF 2 and 3: keys and values, a list of tensors, then their data, aligned.

Only the header is read. Every length and count is held against the bytes that are left before
anything is read or made by it. Source: docs/gguf.md of the ggml project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Final

from kanna.disk import InputFile
from kanna.dtypes import DType
from kanna.errors import FormatError
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.formats.gguf_values import ORIGINAL_SHAPE, Cursor, Value, as_text, read_value
from kanna.formats.length import check_length
from kanna.model import FileRun, ModelFile, Note, TensorInfo

_VERSIONS: Final = (2, 3)
_MAX_ENTRIES: Final = 400_000  # bounds memory; real models have some thousands
# ggml has four; ComfyUI-GGUF's tools/fix_5d_tensors.py puts five into files of video models
_MAX_DIMS: Final = 5
_MAX_NUMEL: Final = 2**63 - 1
_DEFAULT_ALIGNMENT: Final = 32
# Formats of ggml's own sums, and one that gguf's dequantize does not know.
_UNREADABLE: Final = frozenset({"q8_1", "q8_k", "q1_0"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What the header says of one tensor; `offset` counts from the start of the data."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    offset: int

    @property
    def end(self) -> int:
        """Where its bytes end, counted likewise."""
        return self.offset + self.dtype.nbytes(prod(self.shape))


@dataclass(frozen=True, slots=True)
class Header:
    """All of the header: it ends at `end`, and the data begin at `start`, aligned."""

    values: Mapping[str, Value]
    entries: list[Entry]
    alignment: int
    end: int

    @property
    def start(self) -> int:
        """Where the data begin."""
        return -(-self.end // self.alignment) * self.alignment


def open_gguf(file: InputFile) -> ModelFile:
    """Read the header of `file`.

    Shapes are in torch's order, the reverse of the file's; those that the metadata keeps under
    ``comfy.gguf.orig_shape.NAME`` are restored. Quantised tensors have a `BlockType` for a dtype;
    those of a type that nothing decodes are in `refused` too. `metadata` holds numbers and short
    arrays as JSON text; vocabularies are left out.

    Raises:
        FormatError: the file breaks a rule of the format, or ends before its last tensor.
    """
    header = read_header(file)
    metadata = {key: as_text(one) for key, one in header.values.items() if one is not None}
    tensors = {entry.name: _tensor(file, header, entry) for entry in header.entries}
    return ModelFile(
        path=file.path,
        container="gguf",
        size=file.size,
        tensors=MappingProxyType(tensors),
        files=(file,),
        metadata=MappingProxyType(metadata),
        refused=MappingProxyType(
            {
                entry.name: Note("formats.gguf_quantised", {"type": entry.dtype.word})
                for entry in header.entries
                if entry.dtype.word in _UNREADABLE
            }
        ),
    )


def read_header(file: InputFile) -> Header:
    """Read and check all that stands before the data.

    Raises:
        FormatError: the file breaks a rule of the format, or ends before its last tensor.
    """
    cursor = Cursor(file)
    magic, version = cursor.take(4), cursor.integer("I")
    if magic != b"GGUF" or version not in _VERSIONS:
        raise FormatError("formats.gguf_version", path=file.path, version=version)
    tensor_count, value_count = _read_count(cursor), _read_count(cursor)
    values = _read_values(cursor, value_count)
    alignment = _alignment(file, values)
    entries = [_read_entry(cursor) for _ in range(tensor_count)]
    header = Header(values, entries, alignment, cursor.position)
    _check_layout(file, entries, header.start, alignment)
    return header


def _read_count(cursor: Cursor) -> int:
    count = cursor.integer("Q")
    if count > _MAX_ENTRIES:
        raise FormatError("formats.gguf_count", path=cursor.file.path, count=count)
    return count


def _read_values(cursor: Cursor, count: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for _ in range(count):
        key = cursor.text()
        if key in values:
            raise FormatError("formats.duplicate", path=cursor.file.path, name=key)
        values[key] = read_value(cursor)
    return values


def _alignment(file: InputFile, values: Mapping[str, Value]) -> int:
    value = values.get("general.alignment", _DEFAULT_ALIGNMENT)
    if type(value) is not int or value <= 0 or value & (value - 1):
        raise FormatError("formats.gguf_alignment", path=file.path, value=str(value))
    return value


def _read_entry(cursor: Cursor) -> Entry:
    path, name, rank = cursor.file.path, cursor.text(), cursor.integer("I")
    if rank > _MAX_DIMS:
        raise FormatError("formats.gguf_rank", path=path, tensor=name, rank=rank)
    dims = [cursor.integer("Q") for _ in range(rank)]
    kind, offset = cursor.integer("I"), cursor.integer("Q")
    dtype = GGML_TYPES.get(kind)
    if dtype is None:
        raise FormatError("formats.gguf_type", path=path, tensor=name, type=kind)
    row = dims[0] if dims else 1
    ragged = isinstance(dtype, BlockType) and row % dtype.elements
    if ragged or prod(size or 1 for size in dims) > _MAX_NUMEL:
        raise FormatError("formats.gguf_shape", path=path, tensor=name, shape=str(dims))
    return Entry(name, dtype, tuple(reversed(dims)), offset)


def _check_layout(file: InputFile, entries: list[Entry], start: int, alignment: int) -> None:
    names: set[str] = set()
    end = 0
    for entry in sorted(entries, key=lambda entry: (entry.offset, entry.end)):
        if entry.name in names:
            raise FormatError("formats.duplicate", path=file.path, name=entry.name)
        if entry.offset < end or entry.offset % alignment:
            raise FormatError(
                "formats.gguf_offset", path=file.path, tensor=entry.name, offset=entry.offset
            )
        names.add(entry.name)
        end = entry.end
    if entries:
        check_length(file, start + end)


def _tensor(file: InputFile, header: Header, entry: Entry) -> TensorInfo:
    run = FileRun(file, header.start + entry.offset, entry.end - entry.offset)
    kept = header.values.get(ORIGINAL_SHAPE + entry.name)
    return TensorInfo(entry.name, entry.dtype, _original(kept, entry.shape), run)


def _original(kept: Value, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that the metadata keeps, where it has as many elements."""
    if not isinstance(kept, list):
        return shape
    sizes = [size for size in kept if type(size) is int and 0 <= size <= _MAX_NUMEL]
    return tuple(sizes) if len(sizes) == len(kept) and prod(sizes) == prod(shape) else shape
