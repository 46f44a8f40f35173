"""safetensors: eight bytes of length, a JSON header, then the tensors without a gap.

Every rule of the format is enforced, including those that common readers skip: what passes here
reads the same everywhere. Source: the format section of the safetensors README and the
``Metadata::validate`` of its reference implementation (tensor.rs).
"""

from __future__ import annotations

import reprlib
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from kanna.disk import InputFile
from kanna.dtypes import SAFETENSORS, DType
from kanna.errors import FormatError
from kanna.formats import strict_json
from kanna.formats.length import check_length
from kanna.messages import size_text
from kanna.model import FileRun, ModelFile, TensorInfo

HEADER_LIMIT: Final = 100_000_000
METADATA: Final = "__metadata__"  # the entry of the header that is no tensor
_MAX_RANK: Final = 64  # numpy's limit; torch cannot compute with more either
_MAX_COUNT: Final = 2**63 - 1
_FIELDS: Final = {"dtype", "shape", "data_offsets"}

_Span = tuple[int, int, str]


def open_safetensors(file: InputFile) -> ModelFile:
    """Read the header of `file`; tensors come in the order of the header.

    Raises:
        FormatError: the file breaks a rule of the format, or ends before its last tensor.
    """
    raw = read_header(file)
    start = 8 + len(raw)
    # Objects become tuples of pairs: JSON has no other way to make a tuple, duplicates stay
    # visible, and no Python function is called for each of thousands of objects.
    pairs = strict_json.parse(raw, file.path, build=tuple)
    entries = strict_json.unique(pairs, file.path)
    metadata = metadata_of(file.path, entries.pop(METADATA, ()))
    tensors: dict[str, TensorInfo] = {}
    spans: list[_Span] = []
    for name, entry in entries.items():
        dtype, shape, begin, end = _entry(file.path, name, entry)
        tensors[name] = TensorInfo(name, dtype, shape, FileRun(file, start + begin, end - begin))
        spans.append((begin, end, name))
    _check_layout(file, start, spans)
    return ModelFile(
        path=file.path,
        container="safetensors",
        size=file.size,
        tensors=MappingProxyType(tensors),
        files=(file,),
        metadata=MappingProxyType(metadata),
    )


def read_header(file: InputFile) -> bytes:
    """Return the JSON of a header as it stands.

    Raises:
        FormatError: the file has no header, or its length is wrong.
    """
    if file.size < 8:
        raise FormatError("formats.st_no_header", path=file.path)
    length = int.from_bytes(file.read(0, 8), "little")
    if not 2 <= length <= HEADER_LIMIT:
        raise FormatError(
            "formats.st_header_length", path=file.path, length=length, limit=HEADER_LIMIT
        )
    if 8 + length > file.size:
        raise FormatError(
            "formats.st_header_cut",
            path=file.path,
            have=size_text(file.size),
            header=size_text(length),
        )
    raw = file.read(8, length)
    if not raw.startswith(b"{"):
        raise FormatError("formats.st_header_start", path=file.path)
    return raw


def metadata_of(path: Path, value: object) -> dict[str, str]:
    """Return the metadata of a header, given as pairs.

    Raises:
        FormatError: something in it is no text, or there twice.
    """
    if type(value) is not tuple or not all(type(text) is str for _, text in value):
        raise FormatError("formats.st_metadata", path=path)
    return strict_json.unique(value, path)


def _entry(path: Path, name: str, entry: Any) -> tuple[DType, tuple[int, ...], int, int]:
    fields = dict(entry) if type(entry) is tuple else {}
    if len(fields) != len(_FIELDS) or len(entry) != len(_FIELDS) or fields.keys() != _FIELDS:
        raise FormatError("formats.st_fields", path=path, tensor=name)
    word, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    dtype = SAFETENSORS.get(word) if type(word) is str else None
    if dtype is None:
        raise FormatError("formats.st_dtype", path=path, tensor=name, dtype=reprlib.repr(word))
    count = _count(shape)
    if count is None:
        raise FormatError("formats.st_shape", path=path, tensor=name, shape=reprlib.repr(shape))
    if not _is_span(offsets):
        raise FormatError(
            "formats.st_offsets", path=path, tensor=name, offsets=reprlib.repr(offsets)
        )
    begin, end = offsets
    bits = count * dtype.bits
    if bits != (end - begin) * 8:
        raise FormatError(
            "formats.st_size", path=path, tensor=name, need=bits / 8, have=end - begin
        )
    return dtype, tuple(shape), begin, end


def _count(shape: Any) -> int | None:
    """Return the elements of a shape, or None where it is none: this runs for every tensor."""
    if type(shape) is not list or len(shape) > _MAX_RANK:
        return None
    count = 1
    for size in shape:
        if type(size) is not int or size < 0:  # exactly int: True is one to isinstance
            return None
        count *= size
    # A dimension of 0 must not hide an overflow from readers that multiply from the left.
    return count if (count or prod(size or 1 for size in shape)) <= _MAX_COUNT else None


def _is_span(offsets: Any) -> bool:
    if type(offsets) is not list or len(offsets) != 2:
        return False
    begin, end = offsets
    if type(begin) is not int or type(end) is not int:
        return False
    return 0 <= begin <= end <= _MAX_COUNT


def _check_layout(file: InputFile, start: int, spans: list[_Span]) -> None:
    expected = 0
    for begin, end, name in sorted(spans):
        if begin != expected:
            raise FormatError(
                "formats.st_gap", path=file.path, tensor=name, begin=begin, expected=expected
            )
        expected = end
    check_end(file, start + expected)


def check_end(file: InputFile, end: int) -> None:
    """Check that a file ends where its last tensor does, at `end`.

    Raises:
        FormatError: it is shorter, or longer.
    """
    check_length(file, end)
    if end < file.size:
        raise FormatError("formats.st_trailing", path=file.path, extra=file.size - end)
