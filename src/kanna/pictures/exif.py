"""EXIF: a small TIFF file of directories of entries, as a map of where everything is.

Every number of it may be a lie: entries are bounded, directories are visited once, and nothing is
read that lies outside.
Sources: TIFF 6.0 section 2; Exif 2.32 sections 4.5 and 4.6; XP tags: Microsoft "Photo Metadata
Policies"; numbers below Make: ComfyUI SaveAnimatedWEBP (nodes_images.py), which counts downwards.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from kanna.errors import FormatError

PREFIX: Final = b"Exif\0\0"
USER_COMMENT: Final = 0x9286
MAKE: Final = 0x010F
# Tags that hold text, by the names that people know.
TEXT_TAGS: Final[Mapping[int, str]] = {
    0x010D: "DocumentName", 0x010E: "ImageDescription", MAKE: "Make", 0x0110: "Model",
    0x0131: "Software", 0x013B: "Artist", 0x013C: "HostComputer", 0x8298: "Copyright",
    USER_COMMENT: "UserComment", 0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords", 0x9C9F: "XPSubject",
}  # fmt: skip
# Pointers to directories, and where they are found. The first is at the start of the file.
POINTERS: Final[Mapping[int, str]] = {0x8769: "exif", 0x8825: "gps", 0xA005: "interoperability"}
SIZES: Final = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    129: 1,
}  # fmt: skip - bytes of one value of each type
ENTRY: Final = 12  # bytes
_MOST: Final = 4096  # entries of a directory; cameras write some hundred
_CHAIN: Final = 64  # directories one after another


class Entry(NamedTuple):
    """An entry of a directory: its numbers, where it is, and where its value is."""

    directory: str
    tag: int
    type: int
    values: int
    at: int
    start: int
    end: int

    @property
    def inline(self) -> bool:
        """Whether the value is in the entry itself."""
        return self.start == self.at + 8


class Directory(NamedTuple):
    """A directory: where it is, where the pointer to it is, and its entries."""

    name: str
    at: int
    pointer: int
    entries: tuple[Entry, ...]

    @property
    def end(self) -> int:
        """Where it ends, the pointer to the next directory included."""
        return self.at + 2 + ENTRY * len(self.entries) + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Exif:
    """The map of an EXIF block: `data` without prefix, `order` as `struct` spells it."""

    data: bytes
    order: str
    directories: Mapping[str, Directory]

    def texts(self) -> Iterator[Entry]:
        """Return the entries that hold text and are worth showing."""
        for name in ("main", "exif"):
            if name in self.directories:
                yield from filter(is_text, self.directories[name].entries)


def is_text(entry: Entry) -> bool:
    """Whether an entry holds text that a program or a person has put there."""
    if entry.tag == USER_COMMENT or entry.tag >= 0x9C9B:
        return entry.tag in TEXT_TAGS and SIZES.get(entry.type) == 1
    if entry.tag not in TEXT_TAGS and (entry.tag > MAKE or entry.directory != "main"):
        return False
    return entry.type in {2, 129}


def tag_name(tag: int) -> str:
    """Return what people call a tag, else its number."""
    return TEXT_TAGS.get(tag, f"0x{tag:04x}")


def tag_number(name: str) -> int | None:
    """Return the number of a tag that holds text, by its name or number; None for others."""
    for tag, known in TEXT_TAGS.items():
        if known == name:
            return tag
    try:
        number = int(name, 16) if name.startswith("0x") else -1
    except ValueError:
        return None
    return number if 0 < number < MAKE else None


def read_exif(data: bytes, path: Path) -> Exif | None:
    """Map an EXIF block, given without its prefix; None if it is none at all.

    Raises:
        FormatError: directories form a loop, an entry's text lies outside, or there are too many.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return None
    return _Reader(data, order, path).read()


class _Reader:
    def __init__(self, data: bytes, order: str, path: Path) -> None:
        self._data, self._order, self._path = data, order, path
        self._seen: set[int] = set()

    def read(self) -> Exif:
        main = self._directory("main", 4)
        self._chain(main)
        found = {"main": main}
        for parent in ("main", "exif"):
            for entry in found[parent].entries if parent in found else ():
                name = POINTERS.get(entry.tag)
                if name and name not in found and entry.inline and entry.type in {4, 13}:
                    found[name] = self._directory(name, entry.start)
        return Exif(data=self._data, order=self._order, directories=found)

    def _directory(self, name: str, pointer: int) -> Directory:
        at = self._number("I", pointer)
        self._visit(at)
        if at + 2 > len(self._data):
            raise self._error("pictures.exif_outside", tag=name)
        count = self._number("H", at)
        if count > _MOST or at + 2 + ENTRY * count > len(self._data):
            raise self._error("pictures.exif_too_many", count=count)
        every = (self._entry(name, at + 2 + ENTRY * number) for number in range(count))
        return Directory(name, at, pointer, tuple(every))

    def _entry(self, directory: str, at: int) -> Entry:
        tag, kind, count = struct.unpack_from(f"{self._order}HHI", self._data, at)
        size = SIZES.get(kind, 0) * count
        start = at + 8 if size <= 4 else self._number("I", at + 8)
        entry = Entry(directory, tag, kind, count, at, start, start + size)
        if entry.end > len(self._data) and is_text(entry):
            raise self._error("pictures.exif_outside", tag=tag_name(tag))
        return entry

    def _chain(self, directory: Directory) -> None:
        """Follow the directories behind `directory`, only to see that they end."""
        end = directory.end
        for _ in range(_CHAIN):
            if end > len(self._data):
                return  # nothing says where the next one is
            following = self._number("I", end - 4)
            if following == 0 or following + 2 > len(self._data):
                return
            self._visit(following)
            end = following + 2 + ENTRY * self._number("H", following) + 4

    def _visit(self, at: int) -> None:
        if at in self._seen:
            raise self._error("pictures.exif_loop", offset=at)
        self._seen.add(at)

    def _number(self, kind: str, at: int) -> int:
        (value,) = struct.unpack_from(f"{self._order}{kind}", self._data, at)
        return int(value)

    def _error(self, key: str, **values: object) -> FormatError:
        return FormatError(key, path=self._path, **values)
