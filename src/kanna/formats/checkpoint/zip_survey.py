"""What a zip holds, whatever is wrong with it, and the bytes in it that belong to nothing.

`zip_archive` accepts only what all readers agree on. Where it refuses, every reader still takes the
bytes of a file from behind a local header: `local_files` finds all of those, so that nothing hides
in what readers disagree about.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint.zip_archive import LOCAL

if TYPE_CHECKING:
    from kanna.disk import InputFile
    from kanna.formats.checkpoint.zip_archive import Archive, Member

# A local header begins so; its method, of which there are fewer than 100, comes four bytes later.
_MAGIC: Final = re.compile(rb"PK\x03\x04(?=.{4}[\x00-\x63]\x00)", re.DOTALL)
_MAGIC_SIZE: Final = 10
_CHUNK: Final = 8 << 20
_MAX_SWEEP: Final = 512 << 20
_MAX_FILES: Final = 20_000
_MAX_PACKED: Final = 16 << 20
_DESCRIPTORS: Final = (0, 12, 16, 20, 24)
_FREE_EXTRA: Final = 256  # torch aligns by at most 64 bytes, other programs note times and owners
_PADDING: Final = b"Z"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A local header: its offset, the name and flags in it, and where its bytes start."""

    offset: int
    name: str
    flags: int
    method: int
    start: int


def local_files(file: InputFile) -> Iterator[LocalFile]:
    """Yield every local header that lies in the first 512 MB of `file`, by its signature."""
    count = 0
    for offset in _signatures(file):
        if offset + LOCAL.size > file.size:
            return
        data = file.read(offset, LOCAL.size)
        _, _, flags, method, _, _, _, _, _, name, extra = LOCAL.unpack(data)
        start = offset + LOCAL.size + name + extra
        if start >= file.size:
            continue
        text = file.read(offset + LOCAL.size, name).decode("utf-8", "surrogateescape")
        yield LocalFile(offset, text, flags, method, start)
        count += 1
        if count >= _MAX_FILES:
            return


def _signatures(file: InputFile) -> Iterator[int]:
    reach = min(file.size, _MAX_SWEEP)
    for base in range(0, reach, _CHUNK):
        data = file.read(base, min(_CHUNK + _MAGIC_SIZE - 1, file.size - base))
        yield from (base + match.start() for match in _MAGIC.finditer(data))


def inflated(file: InputFile, start: int, limit: int) -> bytes:
    """Return up to `limit` bytes of what is compressed at `start`; empty if nothing is."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return machine.decompress(file.read(start, min(file.size - start, _MAX_PACKED)), limit)
    except zlib.error:
        return b""


def unaccounted(file: InputFile, archive: Archive) -> Iterator[tuple[int, int]]:
    """Yield offset and length of the bytes between members that are part of none.

    Raises:
        FormatError: a local header is not what the directory says.
    """
    for member in archive.entries:
        start = member.start()
        extra = start - member.header - LOCAL.size - len(member.name)
        if extra > _FREE_EXTRA and file.read(start - extra, extra)[4:].strip(_PADDING):
            yield start - extra, extra
        end = start + member.packed
        if not _is_descriptor(file, member, end):
            yield end, member.limit - end


def _is_descriptor(file: InputFile, member: Member, at: int) -> bool:
    """Whether what follows a member is nothing, or its checksum and sizes once more."""
    length = member.limit - at
    if length not in _DESCRIPTORS:
        return False
    if not length:
        return True
    data = file.read(at, length)
    if length in (16, 24):
        if data[:4] != b"PK\x07\x08":
            return False
        data = data[4:]
    width = 4 if len(data) == 12 else 8
    numbers = data[:4], data[4 : 4 + width], data[4 + width :]
    wanted = member.crc, member.packed, member.nbytes
    return tuple(int.from_bytes(number, "little") for number in numbers) == wanted
