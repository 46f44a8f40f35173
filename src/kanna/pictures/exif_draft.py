"""An EXIF block in the making: everything but texts keeps its place, so that no offset breaks.

New values go where the old ones were, where there is room, else behind everything. What is freed is
wiped, and cut off where it is at the end; notes of camera makers count from the start of the block
in ways that nobody knows, so nothing else moves but the directory that an entry is added to.
Sources: as `kanna.pictures.exif`.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from kanna.pictures.exif import ENTRY, USER_COMMENT, Entry, Exif

_POINTER: Final = 0x8769
_ASCII, _LONG, _UNDEFINED, _BYTE = 2, 4, 7, 1


class _Row(NamedTuple):
    """An entry to be written: twelve bytes as they were, or a type and a new value."""

    tag: int
    raw: bytes
    kind: int = 0
    value: bytes | None = None


class Draft:
    """An EXIF block in the making."""

    def __init__(self, exif: Exif) -> None:
        """Begin with the entries of `exif`."""
        self._exif, self._data = exif, bytearray(exif.data)
        self._rows = {
            name: [_Row(one.tag, exif.data[one.at : one.at + ENTRY]) for one in directory.entries]
            for name, directory in exif.directories.items()
            if name in {"main", "exif"}
        }
        self._numbers = {
            entry: (directory.name, number)
            for directory in exif.directories.values()
            for number, entry in enumerate(directory.entries)
        }
        self._holes: list[tuple[int, int]] = []

    def free(self, entries: list[Entry]) -> None:
        """Wipe the values of entries, unless others share them, and cut them off at the end.

        Texts that stand behind one that is cut off are written anew.
        """
        texts = [one for one in self._exif.texts() if not one.inline and not self._shared(one)]
        freed = {one for one in texts if one in entries}
        for entry in freed:
            self._data[entry.start : entry.end] = bytes(entry.end - entry.start)
        end, run = len(self._data), list[Entry]()
        for entry in sorted(texts, key=lambda one: one.end, reverse=True):
            if end - entry.end not in {0, 1} or any(self._data[entry.end : end]):
                break
            end = entry.start
            run.append(entry)
        cut = min((one.start for one in run if one in freed), default=len(self._data))
        for entry in run:
            if entry.start >= cut and entry not in freed:
                self.put(entry, self._exif.data[entry.start : entry.end])
        del self._data[cut:]
        self._holes += [(one.start, one.end) for one in freed if one.start < cut]

    def put(self, entry: Entry, value: bytes | None) -> None:
        """Give an entry another value; None takes it away."""
        name, number = self._numbers[entry]
        row = _Row(entry.tag, b"", entry.type, value)
        self._rows[name][number] = row if value is not None else _Row(-1, b"")

    def add(self, tag: int, value: bytes) -> None:
        """Add an entry where its tag belongs."""
        kind = _ASCII if tag < USER_COMMENT else _UNDEFINED if tag == USER_COMMENT else _BYTE
        rows = self._rows.setdefault("exif" if tag == USER_COMMENT else "main", [])
        _insert(rows, _Row(tag, b"", kind, value))

    def finished(self) -> bytes | None:
        """Write the directories and all new values; None where nothing is left."""
        for rows in self._rows.values():
            rows[:] = [row for row in rows if row.tag >= 0]
        self._settle_pointer()
        main = self._rows["main"]
        if not main and not self._following("main"):
            return None
        self._write("main", self._place("main", len(main)), pointer=4)
        if "exif" in self._rows:
            at = self._place("exif", len(self._rows["exif"]))
            entries = self._number("I", 4) + 2
            number = next(n for n, row in enumerate(main) if row.tag == _POINTER)
            self._write("exif", at, pointer=entries + ENTRY * number + 8)
        return bytes(self._data)

    def _settle_pointer(self) -> None:
        main = self._rows["main"]
        if not self._rows.get("exif") and "exif" in self._rows:
            self._release("exif")
            del self._rows["exif"]
            main[:] = [row for row in main if row.tag != _POINTER]
        if "exif" in self._rows:
            main[:] = [row for row in main if row.tag != _POINTER]
            _insert(main, _Row(_POINTER, b"", _LONG, bytes(4)))

    def _place(self, name: str, entries: int) -> int:
        """Return where a directory goes: where it was, if it fits, else behind everything."""
        size = 6 + ENTRY * entries
        old = self._exif.directories.get(name)
        if old is not None and old.end - old.at >= size and old.end <= len(self._data):
            self._data[old.at : old.end] = bytes(old.end - old.at)
            return old.at
        self._release(name)
        return self._allocate(size)

    def _write(self, name: str, at: int, *, pointer: int) -> None:
        rows = self._rows[name]
        self._pack("I", pointer, at)
        self._pack("H", at, len(rows))
        for number, row in enumerate(rows):
            place = at + 2 + ENTRY * number
            if row.value is None:
                self._data[place : place + ENTRY] = row.raw
                continue
            self._pack("H", place, row.tag)
            self._pack("H", place + 2, row.kind)
            self._pack("I", place + 4, 1 if row.kind == _LONG else len(row.value))
            self._store(place + 8, row.value)
        self._pack("I", at + 2 + ENTRY * len(rows), self._following(name))

    def _store(self, field: int, value: bytes) -> None:
        if len(value) <= 4:
            self._data[field : field + 4] = value.ljust(4, b"\0")
            return
        hole = next((one for one in self._holes if one[1] - one[0] >= len(value)), None)
        if hole:
            self._holes.remove(hole)
        at = hole[0] if hole else self._allocate(len(value))
        self._data[at : at + len(value)] = value
        self._pack("I", field, at)

    def _following(self, name: str) -> int:
        old = self._exif.directories.get(name)
        if old is None or old.end > len(self._exif.data):
            return 0
        (value,) = struct.unpack_from(f"{self._exif.order}I", self._exif.data, old.end - 4)
        return int(value)

    def _release(self, name: str) -> None:
        old = self._exif.directories.get(name)
        if old is None:
            return
        end = min(old.end, len(self._data))
        self._data[old.at : end] = bytes(end - old.at)
        if end == len(self._data):
            del self._data[old.at :]

    def _allocate(self, size: int) -> int:
        self._data += bytes(len(self._data) & 1)
        self._data += bytes(size)
        return len(self._data) - size

    def _shared(self, entry: Entry) -> bool:
        """Whether bytes of an entry's value belong to something else, too."""
        others = [(0, 8)]
        for directory in self._exif.directories.values():
            others.append((directory.at, directory.end))
            others += [(one.start, one.end) for one in directory.entries if one.at != entry.at]
        return any(start < entry.end and entry.start < end for start, end in others)

    def _number(self, kind: str, at: int) -> int:
        (value,) = struct.unpack_from(f"{self._exif.order}{kind}", self._data, at)
        return int(value)

    def _pack(self, kind: str, at: int, value: int) -> None:
        struct.pack_into(f"{self._exif.order}{kind}", self._data, at, value)


def _insert(rows: list[_Row], row: _Row) -> None:
    """Put a row before the first one with a larger tag."""
    numbers = (n for n, one in enumerate(rows) if one.tag > row.tag)
    rows.insert(next(numbers, len(rows)), row)
