"""How a torch checkpoint is laid out: a zip of stored entries, one pickle and one entry per tensor.

The entries follow `torch.save` to the byte (caffe2 `inline_container.cc`, miniz): names, flags,
payloads at multiples of 64, data descriptors, zip64 fields. Readers that compute offsets instead
of looking them up, as torch can, therefore find everything.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from kanna.dtypes import DType
from kanna.errors import FormatError, Incompatible
from kanna.formats.checkpoint import pickle_writer
from kanna.formats.checkpoint.pickle_vm import read_pickle
from kanna.formats.checkpoint.pickle_writer import Call, Global, Persistent
from kanna.formats.layout import Block, FileLayout, Metadata, Spec

_DOUBTFUL: Final = 4 << 20  # no pickle of a real model is as large
_ALIGNMENT: Final = 64
_FLAGS: Final = 0x0808  # UTF-8 names; sizes and checksum follow the payload
_FLAGS_EMPTY: Final = 0x0800
_LIMIT: Final = 0xFFFFFFFF  # sizes and offsets from here on stand in zip64 fields,
_ELSEWHERE: Final = 0xFFFFFFFF  # and this stands in their usual place
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_END: Final = struct.Struct("<4s4H2IH")
_ORDERED_DICT: Final = Call(Global("collections", "OrderedDict"), ())


@dataclass(frozen=True, slots=True)
class _Entry:
    """One zip entry: where its local header starts and how large its payload is."""

    name: bytes
    start: int
    size: int

    @property
    def zip64(self) -> bytes:
        """The zip64 extra field: the numbers that do not fit in 32 bits, or nothing."""
        sizes = struct.pack("<2Q", self.size, self.size) if self.size >= _LIMIT else b""
        numbers = sizes + (struct.pack("<Q", self.start) if self.start >= _LIMIT else b"")
        return struct.pack("<2H", 1, len(numbers)) + numbers if numbers else b""

    @property
    def local_header(self) -> bytes:
        """Name, zip64 numbers, and padding so that the payload starts aligned."""
        bare = _LOCAL.size + len(self.name) + len(self.zip64) + 4
        padding = b"Z" * (-(self.start + bare) % _ALIGNMENT)
        extra = self.zip64 + struct.pack("<2s1H", b"FB", len(padding)) + padding
        head = _LOCAL.pack(b"PK\3\4", 0, self.flags, 0, 0, 0, 0, 0, 0, len(self.name), len(extra))
        return head + self.name + extra

    @property
    def flags(self) -> int:
        """The general purpose bits."""
        return _FLAGS if self.size else _FLAGS_EMPTY

    @property
    def payload(self) -> int:
        """The offset of the first byte of the payload."""
        return self.start + len(self.local_header)

    @property
    def end(self) -> int:
        """The offset after the data descriptor."""
        return self.payload + self.size + len(self.descriptor(0))

    def descriptor(self, crc: int) -> bytes:
        """Return what follows the payload; nothing follows an empty one."""
        if not self.size:
            return b""
        return struct.pack(
            "<4sI2Q" if self.zip64 else "<4s3I", b"PK\7\x08", crc, self.size, self.size
        )

    def central_header(self, crc: int) -> bytes:
        """Return the entry's row in the central directory."""
        size, start = map(_short, (self.size, self.start))
        lengths = len(self.name), len(self.zip64), 0
        head = _CENTRAL.pack(
            b"PK\1\2", 0, 0, self.flags, 0, 0, 0, crc, size, size, *lengths, 0, 0, 0, start
        )
        return head + self.name + self.zip64


def arrange(specs: Sequence[Spec], metadata: Metadata, extras: Mapping[str, object]) -> FileLayout:
    """Return the layout of ``{**extras, "state_dict": tensors, "metadata": metadata}``.

    Raises:
        Incompatible: torch has no name for a dtype, or `extras` are not plain data.
    """
    heads = {
        "data.pkl": _pickle(specs, metadata.filled(), extras),
        ".format_version": b"1",
        ".storage_alignment": str(_ALIGNMENT).encode(),
        "byteorder": b"little",
    }
    tails = {"version": b"3\n"}
    sizes = [dtype.nbytes(prod(shape)) for _, dtype, shape in specs]
    entries = _chain(
        [(name, len(data)) for name, data in heads.items()]
        + [(f"data/{key}", size) for key, size in enumerate(sizes)]
        + [(name, len(data)) for name, data in tails.items()]
    )

    def blocks(digest: str, crcs: Sequence[int]) -> Iterator[Block]:
        pickle = _pickle(specs, metadata.filled(digest), extras)
        known = [*(heads | {"data.pkl": pickle}).values(), *([None] * len(specs)), *tails.values()]
        sums = iter(crcs)
        checksums = [next(sums) if data is None else zlib.crc32(data) for data in known]
        for entry, data, crc in zip(entries, known, checksums, strict=True):
            yield entry.start, entry.local_header + (data or b"")
            yield entry.payload + entry.size, entry.descriptor(crc)
        yield entries[-1].end, _directory(entries, checksums)

    return FileLayout(
        size=entries[-1].end + len(_directory(entries, [0] * len(entries))),
        offsets=tuple(entry.payload for entry in entries[len(heads) : len(heads) + len(specs)]),
        blocks=blocks,
        wants_digest=bool(metadata.digest_fields),
        wants_crcs=True,
    )


def _chain(named: Sequence[tuple[str, int]]) -> list[_Entry]:
    entries: list[_Entry] = []
    for name, size in named:
        start = entries[-1].end if entries else 0
        entries.append(_Entry(f"archive/{name}".encode(), start, size))
    return entries


def _directory(entries: Sequence[_Entry], checksums: Sequence[int]) -> bytes:
    rows = b"".join(e.central_header(crc) for e, crc in zip(entries, checksums, strict=True))
    start, count = entries[-1].end, len(entries)
    end = start + len(rows)
    short = min(count, 0xFFFF)
    return b"".join((
        rows,
        _END64.pack(b"PK\6\6", 44, 0x031E, 45, 0, 0, count, count, len(rows), start),
        _LOCATOR.pack(b"PK\6\7", 0, end, 1),
        _END.pack(b"PK\5\6", 0, 0, short, short, _short(len(rows)), _short(start), 0),
    ))  # fmt: skip


def _short(number: int) -> int:
    """Return what stands in a 32-bit field for `number`."""
    return number if number < _LIMIT else _ELSEWHERE


def _pickle(
    specs: Sequence[Spec], metadata: Mapping[str, str], extras: Mapping[str, object]
) -> bytes:
    tensors = {spec[0]: _tensor(key, *spec) for key, spec in enumerate(specs)}
    state_dict = Call(_ORDERED_DICT.function, (), tensors)
    texts = {"metadata": dict(metadata)} if metadata else {}
    data = pickle_writer.write({**extras, "state_dict": state_dict, **texts})
    if len(data) > _DOUBTFUL:
        _check_readable(data, len(specs))
    return data


def _check_readable(data: bytes, tensors: int) -> None:
    """Refuse a pickle that our own reader would take for an attack.

    Raises:
        Incompatible: it is larger than a reader can accept.
    """
    try:
        read_pickle(data, path=Path())
    except FormatError as error:
        raise Incompatible("layout.pickle_too_large", tensors=tensors) from error


def _tensor(key: int, name: str, dtype: DType, shape: tuple[int, ...]) -> Call:
    if dtype.torch is None:
        raise Incompatible("layout.dtype", name=name, dtype=dtype.word, container="ckpt")
    strides = tuple(prod(max(n, 1) for n in shape[axis:]) for axis in range(1, len(shape) + 1))
    view = (0, shape, strides, False, _ORDERED_DICT)
    if dtype.storage is not None:
        storage = _storage(Global("torch", dtype.storage), key, prod(shape))
        return Call(Global("torch._utils", "_rebuild_tensor_v2"), (storage, *view))
    # Dtypes younger than the storage classes: bytes, and the dtype by name.
    storage = _storage(Global("torch.storage", "UntypedStorage"), key, dtype.nbytes(prod(shape)))
    arguments = (storage, *view, Global("torch", dtype.torch))
    return Call(Global("torch._utils", "_rebuild_tensor_v3"), arguments)


def _storage(kind: Global, key: int, size: int) -> Persistent:
    return Persistent(("storage", kind, str(key), "cpu", size))
