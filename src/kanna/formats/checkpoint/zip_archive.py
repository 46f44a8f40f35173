"""Zip archives, read strictly: only what every reader of the archive would agree on is accepted.

The central directory is read at once; the local header in front of each member's bytes only when
those bytes are needed, because thousands of scattered small reads make opening slow on a cold disk.
Source: PKWARE APPNOTE 6.3 (sections 4.3 to 4.5).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError
from kanna.formats.checkpoint.tensor_data import RecordRun
from kanna.formats.checkpoint.zip_directory import Directory, read_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kanna.disk import InputFile
    from kanna.model import Data

LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_UNREADABLE_FLAGS: Final = 0x1 | 0x20 | 0x40 | 0x2000  # encrypted, patched, strong, masked
_SIZES_FOLLOW: Final = 0x8
_STORED, _DEFLATED = 0, 8
_SATURATED: Final = 0xFFFFFFFF
_MAX_RATIO: Final = 200  # deflate reaches 1,032 on zeros; weights stay below 2
_FREE_INFLATION: Final = 64 << 20


class Member:
    """One file inside the archive."""

    __slots__ = (
        "_start", "crc", "file", "header", "limit", "method", "name", "nbytes", "packed", "remarks",
    )  # fmt: skip

    def __init__(
        self, file: InputFile, name: bytes, method: int, crc: int, packed: int, nbytes: int, at: int
    ) -> None:
        self.file = file
        self.name = name
        self.method = method
        self.crc = crc
        self.packed = packed
        self.nbytes = nbytes
        self.header = at
        self.limit = 0
        self.remarks = 0  # bytes of a comment, which nobody reads
        self._start = -1

    def start(self) -> int:
        """Return where the bytes begin, after checking the local header against the directory.

        Raises:
            FormatError: the two disagree.
        """
        if self._start < 0:
            self._start = self._check_local_header()
        return self._start

    def part(self, offset: int, nbytes: int) -> Data:
        """Return `nbytes` of the uncompressed bytes from `offset`."""
        if self.method == _STORED:
            return RecordRun(self, offset, nbytes)
        from kanna.formats.checkpoint.inflated_data import Inflated  # torch never compresses

        return Inflated(self, self.packed, offset, nbytes)

    def read(self) -> bytes:
        """Return all uncompressed bytes.

        Raises:
            FormatError: they are damaged.
        """
        out = bytearray(self.nbytes)
        self.part(0, self.nbytes).read_into(0, memoryview(out))
        return bytes(out)

    def _check_local_header(self) -> int:
        data = self.file.read(self.header, LOCAL.size + len(self.name))
        magic, _, flags, method, _, _, _, packed, nbytes, name, extra = LOCAL.unpack_from(data)
        start: int = self.header + LOCAL.size + name + extra
        agrees = (
            magic == b"PK\x03\x04"
            and data[LOCAL.size :] == self.name
            and name == len(self.name)
            and method == self.method
            and not flags & _UNREADABLE_FLAGS
            and _size_agrees(packed, self.packed, flags)
            and _size_agrees(nbytes, self.nbytes, flags)
            and start + self.packed <= self.limit
        )
        if not agrees:
            shown = self.name.decode("utf-8", "replace")
            raise FormatError("checkpoint.zip_disagrees", path=self.file.path, member=shown)
        return start


def _size_agrees(local: int, central: int, flags: int) -> bool:
    return local in (central, _SATURATED) or (local == 0 and bool(flags & _SIZES_FOLLOW))


class Archive:
    """The members of a zip under its one root folder, by lower-case name without that root."""

    __slots__ = ("comment", "entries", "members", "trailing")

    def __init__(self, file: InputFile) -> None:
        """Read the directory of `file`.

        Raises:
            FormatError: it breaks a rule, or names are doubled, or members overlap.
        """
        directory = read_directory(file)
        self.trailing = directory.trailing
        self.comment = directory.comment
        self.entries = list(_read_members(file, directory))
        _check_ranges(file, self.entries, directory.start)
        self.members = _by_name(file, self.entries)


def _read_members(file: InputFile, directory: Directory) -> Iterator[Member]:
    data, at = directory.data, 0
    for _ in range(directory.count):
        if at + _CENTRAL.size > len(data):
            raise FormatError("checkpoint.zip_broken", path=file.path)
        (magic, _, _, flags, method, _, _, crc, packed, nbytes, name_size, extra_size,
         comment_size, disk, _, _, header) = _CENTRAL.unpack_from(data, at)  # fmt: skip
        extra = at + _CENTRAL.size + name_size
        name = data[at + _CENTRAL.size : extra]
        at = extra + extra_size + comment_size
        if magic != b"PK\x01\x02" or disk or at > len(data):
            raise FormatError("checkpoint.zip_broken", path=file.path)
        if flags & _UNREADABLE_FLAGS or method not in (_STORED, _DEFLATED):
            raise FormatError("checkpoint.zip_method", path=file.path)
        if _SATURATED in (packed, nbytes, header):
            wide = _zip64(data[extra : extra + extra_size], (nbytes, packed, header))
            nbytes, packed, header = wide
        member = Member(file, name, method, crc, packed, nbytes, header)
        member.remarks = comment_size
        yield member
    if at != len(data):
        raise FormatError("checkpoint.zip_broken", path=file.path)


def _zip64(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return `values` with the saturated ones taken from the zip64 field of `extra`."""
    at = 0
    while at + 4 <= len(extra):
        field, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if field == 1:
            wide = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            first, second, third = (next(wide, v) if v == _SATURATED else v for v in values)
            return first, second, third
        at += 4 + size
    return values


def _check_ranges(file: InputFile, members: list[Member], end: int) -> None:
    """Refuse members that overlap, lie outside the file or inflate beyond reason."""
    ordered = sorted(members, key=lambda member: member.header, reverse=True)
    total = sum(member.nbytes for member in members)
    if total > _FREE_INFLATION + _MAX_RATIO * file.size:
        raise FormatError("checkpoint.zip_bomb", path=file.path)
    for member in ordered:
        member.limit = end
        if member.header + LOCAL.size + len(member.name) + member.packed > end:
            raise FormatError("checkpoint.zip_overlap", path=file.path)
        if member.method == _STORED and member.nbytes != member.packed:
            raise FormatError("checkpoint.zip_broken", path=file.path)
        end = member.header
    if end:
        raise FormatError("checkpoint.zip_broken", path=file.path)


def _by_name(file: InputFile, members: list[Member]) -> dict[str, Member]:
    """Return the members by name below the root; names that differ only in case are one name."""
    found: dict[str, Member] = {}
    root = members[0].name.partition(b"/")[0] + b"/"
    for member in members:
        if not member.name.startswith(root):
            raise FormatError("checkpoint.zip_roots", path=file.path)
        name = member.name[len(root) :].decode("utf-8", "surrogateescape").casefold()
        if name in found:
            raise FormatError("checkpoint.zip_doubled", path=file.path, member=name)
        if name and not name.endswith("/"):
            found[name] = member
    return found
