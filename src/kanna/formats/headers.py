"""safetensors headers that were checked before: files of one collection share them, metadata aside.

A model and its merges have the same tensors at the same places; writers put the metadata first.
So a header is what it says of metadata, and a listing that is checked once. Only who looks at many
files needs this.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from kanna.disk import InputFile
from kanna.dtypes import DType
from kanna.formats import strict_json
from kanna.formats.safetensors import (
    METADATA,
    check_end,
    metadata_of,
    open_safetensors,
    read_header,
)
from kanna.model import FileRun, ModelFile, TensorInfo

Rows: TypeAlias = Mapping[str, tuple[DType, tuple[int, ...], int]]
_MOST_TENSORS: Final = 160_000  # some 150 bytes each, their names aside
_LONGEST: Final = 2_000_000  # a header so short has no more marks than may be parsed
_FIRST: Final = re.compile(rb'\{\s*"%b"\s*:\s*' % METADATA.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """What a header says but for metadata that come first.

    `rows` are the tensors: dtype, shape and where each begins. `end` is where the last one ends.
    """

    rows: Rows
    end: int
    metadata: Mapping[str, str]


class Headers:
    """Remembers the headers that were seen last; use it in one thread."""

    def __init__(self) -> None:
        """Begin without any."""
        self._known: OrderedDict[bytes, _Listing] = OrderedDict()
        self._shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._tensors = 0

    def open(self, file: InputFile) -> ModelFile:
        """Return what `kanna.formats.safetensors.open_safetensors` returns.

        `ModelFile.listing` tells files of the same tensors.

        Raises:
            FormatError: the file breaks a rule of the format, or ends before its last tensor.
        """
        raw = read_header(file)
        said = _metadata_part(raw) if len(raw) <= _LONGEST else None
        if said is None:
            return open_safetensors(file)
        key = hashlib.blake2b(raw[len(said) :], digest_size=32).digest()
        start, listing = 8 + len(raw), self._known.get(key)
        if listing is None:
            return self._remembered(key, open_safetensors(file), start, first=bool(said))
        self._known.move_to_end(key)
        metadata = _metadata(said, file.path) if said else listing.metadata
        check_end(file, start + listing.end)
        return ModelFile(
            path=file.path, container="safetensors", size=file.size,
            tensors=_Tensors(file, start, listing.rows), files=(file,),
            metadata=MappingProxyType(metadata), listing=key,
        )  # fmt: skip

    def _remembered(self, key: bytes, model: ModelFile, start: int, *, first: bool) -> ModelFile:
        """Remember what a header says; with `first` its metadata come first, and are not of it."""
        rows = {t.name: (t.dtype, self._one(t.shape), t.data.offset - start)
                for t in model.tensors.values() if isinstance(t.data, FileRun)}  # fmt: skip
        self._known[key] = _Listing(
            rows=rows, end=model.size - start, metadata={} if first else dict(model.metadata)
        )
        self._tensors += len(rows)
        while self._tensors > _MOST_TENSORS and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            self._tensors -= len(oldest.rows)
        # with the same names and shapes, so that they are held once
        tensors = dict(_Tensors(model.files[0], start, rows))
        return replace(model, tensors=MappingProxyType(tensors), listing=key)

    def _one(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the one tuple for all tensors of a shape."""
        if len(self._shapes) > _MOST_TENSORS:
            self._shapes.clear()
        return self._shapes.setdefault(shape, shape)


class _Tensors(Mapping[str, TensorInfo]):
    """The tensors of a file whose listing is known, each made when it is asked for."""

    __slots__ = ("_file", "_rows", "_start")

    def __init__(self, file: InputFile, start: int, rows: Rows) -> None:
        self._file, self._start, self._rows = file, start, rows

    def __getitem__(self, name: str) -> TensorInfo:
        dtype, shape, begin = self._rows[name]
        run = FileRun(self._file, self._start + begin, dtype.nbytes(prod(shape)))
        return TensorInfo(name, dtype, shape, run)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows


def _metadata(said: bytes, path: Path) -> dict[str, str]:
    pairs = strict_json.parse(said + b"}", path, build=tuple)
    return metadata_of(path, dict(pairs)[METADATA])


def _metadata_part(raw: bytes) -> bytes | None:
    """Return a header up to the end of its metadata, where these come first, or nothing of it.

    None where it cannot be told: the strict reader says what is wrong.
    """
    first = _FIRST.match(raw)
    if first is None:
        return b""
    try:
        text = raw.decode()
        _, end = json.JSONDecoder().raw_decode(text, first.end())
    except (ValueError, RecursionError):
        return None
    return text[:end].encode()
