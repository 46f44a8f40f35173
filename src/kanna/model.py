"""TensorInfo and ModelFile: every container, opened lazily, looks the same.

A `ModelFile` is a read-only mapping from tensor name to `TensorInfo`. Opening reads headers only;
no tensor data is touched until someone asks a `TensorInfo` for its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Protocol, Self

from kanna.disk import InputFile
from kanna.dtypes import FP64, DType

# The dtypes that Python's `struct` can decode, by their letter there.
_LETTERS: Final = {
    "fp64": "d", "fp32": "f", "fp16": "e", "int64": "q", "int32": "i", "int16": "h", "int8": "b",
    "uint64": "Q", "uint32": "I", "uint16": "H", "uint8": "B", "bool": "?",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes in an open file."""

    file: InputFile
    offset: int
    nbytes: int


class Data(Protocol):
    """Where the bytes of one tensor are: contiguous, row-major, little-endian once read."""

    @property
    def whole(self) -> bool:
        """Whether the bytes can only be had from first to last in one go (compressed, strided)."""

    def extent(self) -> Extent | None:
        """Return the run of file bytes that is the tensor as it stands, or None."""

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` (bytes) with the tensor's bytes from `start`.

        Raises:
            FormatError: the file does not hold what its header says.
        """


@dataclass(frozen=True, slots=True)
class FileRun:
    """Tensor data that lies in a file as it is: the usual case."""

    file: InputFile
    offset: int
    nbytes: int
    whole: bool = False

    def extent(self) -> Extent | None:
        """Return the run itself, or None where the system cannot copy from the file."""
        return Extent(self.file, self.offset, self.nbytes) if self.file.local else None

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the run."""
        self.file.read_into(self.offset + start, out)


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: its name, dtype and shape, and where its bytes are."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    data: Data

    @property
    def numel(self) -> int:
        """The number of elements; 1 for a scalar."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of its contiguous form."""
        return self.dtype.nbytes(self.numel)

    def read(self) -> bytes:
        """Return all bytes of the tensor, row-major and little-endian.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        out = bytearray(self.nbytes)
        self.data.read_into(0, memoryview(out))
        return bytes(out)

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the tensor's bytes in pieces of at most `size`, or in one if it comes only whole.

        All pieces share one buffer: each is good until the next one is asked for.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        step = self.nbytes if self.data.whole else min(size, self.nbytes)
        buffer = memoryview(bytearray(step))
        for start in range(0, self.nbytes, step or 1):
            piece = buffer[: self.nbytes - start]
            self.data.read_into(start, piece)
            yield piece

    def numbers(self) -> tuple[float, ...] | tuple[int, ...] | None:
        """Return the elements as Python numbers, exactly, or None if the dtype has none.

        Meant for small tensors: position ids, scales, markers. Complex numbers and dtypes that the
        kernel does not know have none.

        Raises:
            FormatError: the file does not hold what its header says.
            MissingExtra: for bf16 and fp8, there is neither the C extension nor torch.
        """
        letter = _LETTERS.get(self.dtype.word)
        if letter is not None:
            return struct.unpack(f"<{self.numel}{letter}", self.read())
        if not self.dtype.is_float:
            return None
        from kanna.kernel import weighted_sum  # opening and listing a file needs no arithmetic

        out = bytearray(8 * self.numel)
        weighted_sum(out, FP64, [self.read()], [self.dtype], (1.0,), self.numel)
        return struct.unpack(f"<{self.numel}d", out)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that people should be told: a message key and the values that fill it."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    warning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile(Mapping[str, TensorInfo]):
    """An open model file: a lazy, read-only mapping from name to tensor.

    `container` is a word of the identity document. `metadata` is text to text. `extras` holds what
    a checkpoint carries beside its tensors (step counts, trainer state, configuration), as inert
    plain data. `refused` names tensors that are understood but cannot be converted, with the
    reason as a `Note`. `notes` are remarks on the container itself. `files` are the open inputs.
    `beside` are tensors that a folder keeps beside its components: no model has a place for them.
    `listing` is the same for files of equal names, dtypes, shapes and places, where that is known.
    """

    path: Path
    container: str
    size: int
    tensors: Mapping[str, TensorInfo]
    files: tuple[InputFile, ...]
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    extras: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    refused: Mapping[str, Note] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[Note, ...] = ()
    beside: Mapping[str, TensorInfo] = field(default_factory=lambda: MappingProxyType({}))
    listing: bytes | None = None

    def __getitem__(self, name: str) -> TensorInfo:
        """Return the tensor called `name`."""
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names in file order."""
        return iter(self.tensors)

    def __len__(self) -> int:
        """Return the number of tensors."""
        return len(self.tensors)

    def close(self) -> None:
        """Close all files."""
        for file in self.files:
            file.close()

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all files."""
        self.close()
