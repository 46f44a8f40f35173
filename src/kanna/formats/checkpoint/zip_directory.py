"""Where the central directory of a zip archive is, with every count and offset checked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError

if TYPE_CHECKING:
    from kanna.disk import InputFile

_END: Final = struct.Struct("<4s4H2IH")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64: Final = struct.Struct("<4sIQI")
_MAX_COMMENT: Final = 0xFFFF
_MAX_DIRECTORY: Final = 64 << 20
_MAX_MEMBERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Directory:
    """The bytes of the central directory, where it starts, how many members it lists.

    `comment` counts the bytes of the archive's comment, `trailing` those after its end.
    """

    data: bytes
    start: int
    count: int
    trailing: int
    comment: int


def read_directory(file: InputFile) -> Directory:
    """Read the central directory of the archive that is the whole of `file`.

    Raises:
        FormatError: there is none (the file is cut short), or its counts and offsets disagree.
    """
    at, end = _find_end(file)
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(end)
    wide = _read_end64(file, at)
    if wide:
        at, here64, count64, size64, start64 = wide
        narrow = ((here, here64), (count, count64), (size, size64), (start, start64))
        if any(a not in (b, 0xFFFF, 0xFFFFFFFF) for a, b in narrow):
            raise FormatError("checkpoint.zip_broken", path=file.path)
        here, count, size, start = here64, count64, size64, start64
    adds_up = (
        disk == first_disk == 0
        and here == count
        and start + size == at
        and 0 < count <= _MAX_MEMBERS
        and size <= _MAX_DIRECTORY
    )
    if not adds_up:
        raise FormatError("checkpoint.zip_broken", path=file.path)
    trailing = len(end) - _END.size - comment
    return Directory(file.read(start, size), start, count, trailing, comment)


def _find_end(file: InputFile) -> tuple[int, bytes]:
    """Return the offset of the end record, and the bytes from there to the end of the file."""
    for wanted in (_END.size, _END.size + _MAX_COMMENT):
        reach = min(wanted, file.size)
        tail = file.read(file.size - reach, reach)
        at = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
        if at >= 0 and len(tail) - at >= _END.size + _END.unpack_from(tail, at)[-1]:
            return file.size - reach + at, tail[at:]
    raise FormatError("checkpoint.zip_truncated", path=file.path, size=file.size)


def _read_end64(file: InputFile, end: int) -> tuple[int, int, int, int, int] | None:
    """Return offset, counts, size and start from the zip64 end record, if there is one."""
    at = end - _LOCATOR64.size
    if at < 0:
        return None
    magic, disk, offset, disks = _LOCATOR64.unpack(file.read(at, _LOCATOR64.size))
    if magic != b"PK\x06\x07":
        return None
    if disk or disks != 1 or offset + _END64.size > at:
        raise FormatError("checkpoint.zip_broken", path=file.path)
    fields = _END64.unpack(file.read(offset, _END64.size))
    magic, size, _, _, disk, first_disk, here, count, length, start = fields
    ends = offset + _END64.size == at and size == _END64.size - 12  # PKWARE's own may be longer
    if magic != b"PK\x06\x06" or disk or first_disk or not ends:
        raise FormatError("checkpoint.zip_broken", path=file.path)
    return offset, here, count, length, start
