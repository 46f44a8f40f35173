"""Where the bytes of a checkpoint's tensors are: in records, looked up when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from kanna.model import Data, Extent

if TYPE_CHECKING:
    from kanna.disk import InputFile


class Record(Protocol):
    """The bytes of one storage; where they begin is found, and checked, when first asked for."""

    @property
    def file(self) -> InputFile:
        """The file that holds them."""

    @property
    def nbytes(self) -> int:
        """How many there are, as stored uncompressed."""

    def start(self) -> int:
        """Return the offset of the first byte in the file.

        Raises:
            FormatError: the header in front of the bytes does not fit what was declared.
        """

    def part(self, offset: int, nbytes: int) -> Data:
        """Return `nbytes` of them from `offset`."""


class RecordRun(NamedTuple):
    """A run of bytes inside a record that is stored as it is."""

    record: Record
    offset: int
    nbytes: int
    whole: bool = False

    def extent(self) -> Extent | None:
        """Return the run of file bytes."""
        return Extent(self.record.file, self.record.start() + self.offset, self.nbytes)

    def read_into(self, start: int, out: memoryview) -> None:
        """Fill `out` from `start` bytes into the run."""
        self.record.file.read_into(self.record.start() + self.offset + start, out)
