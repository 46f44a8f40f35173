"""AVIF and HEIF with other texts: items change, come and go, and the image keeps its bytes.

The table of items grows or shrinks, so whatever follows it moves, and every offset with it. An item
that lies alone in the file's data is replaced there; any other is wiped and written behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Final, NamedTuple

from kanna.disk import InputFile
from kanna.errors import FormatError, Incompatible
from kanna.pictures.avif import XMP_TYPE, Parts, item_bytes
from kanna.pictures.avif_meta import Meta, read_meta
from kanna.pictures.avif_tables import Tables, new_data, written
from kanna.pictures.boxes import BrokenTable
from kanna.pictures.changes import Changes, Patch, moved
from kanna.pictures.exif_writing import edited_blocks, new_block
from kanna.pictures.opened import Opened, Piece, Window

PLACES: Final = frozenset({"exif", "xmp"})
_MOST_SHARED: Final = 4  # times the file, for items that share bytes: thousands may claim all of it
_NOTHING: Final = bytes(4)  # how far away the TIFF header of an Exif item is


class _Run(NamedTuple):
    """The bytes of an item, and whether they may be replaced where they are."""

    start: int
    end: int
    alone: bool


def patches(file: InputFile, opened: Opened, changes: Changes) -> Iterator[Patch]:
    """Return what has to be patched in an AVIF, all its offsets included.

    Raises:
        FormatError: a table of it is damaged.
        Incompatible: it is a moving picture, whose texts stand in several tables.
    """
    if any(one.kind == "moov" for one in opened.pieces):
        raise Incompatible("pictures.moving_avif", path=file.path)
    try:
        yield from _Rebuilding(file, opened, changes).patches()
    except BrokenTable:
        raise FormatError("pictures.meta_broken", path=file.path) from None


def image_runs(file: InputFile, opened: Opened) -> Iterator[tuple[int, int]]:
    """Return start and end of all items of an AVIF but its texts; of a moving one, of all data."""
    if any(one.kind == "moov" for one in opened.pieces):
        data = (one for one in opened.pieces if one.kind == "mdat")
        yield from ((one.body, min(one.end, file.size)) for one in data)
    window, (meta, piece) = Window(file), _meta(file, opened)
    items = {one.number: one for one in meta.items}
    left = _MOST_SHARED * file.size
    for row in sorted(meta.locations.rows):
        item = items.get(row.item)
        if item and item.type != "Exif" and item.content_type != XMP_TYPE:
            with suppress(BrokenTable):
                for start, end in item_bytes(window, Parts(item, meta, piece.start, row)):
                    left -= end - start
                    if left < 0:
                        raise FormatError("pictures.meta_broken", path=file.path)
                    yield start, end


def _meta(file: InputFile, opened: Opened) -> tuple[Meta, Piece]:
    piece = next(one for one in opened.pieces if one.kind == "meta")
    return read_meta(file.read(piece.start, piece.end - piece.start)), piece


class _Rebuilding:
    def __init__(self, file: InputFile, opened: Opened, changes: Changes) -> None:
        self._file, self._opened, self._changes = file, opened, changes
        self._window = Window(file)
        self._meta, self._piece = _meta(file, opened)
        self._items = {one.number: one for one in self._meta.items}
        self._rows = {row.item: row for row in self._meta.locations.rows}
        self._known: dict[int, list[_Run]] = {}
        if self._meta.primary is None and changes.added:
            raise Incompatible("pictures.cannot_hold", path=file.path, container="avif")

    def patches(self) -> list[Patch]:
        """Return every patch of the file."""
        edits, fresh = self._edits(), self._fresh()
        there = [one for number, new in edits.items() for one in self._in_place(number, new)]
        replaced = {number for number, _ in there}
        behind = {n: new for n, new in edits.items() if new is not None and n not in replaced}
        behind |= {number: body for number, (_, body) in fresh.items()}
        tables = Tables(
            gone={number for number, new in edits.items() if new is None},
            fresh={number: kind for number, (kind, _) in fresh.items()},
            wiped=[span for n in edits if n not in replaced for span in self._inside(n)],
        )
        found = [patch for _, patch in there]
        found += [one for n in edits if n not in replaced for one in self._wiped(n)]
        found += self._sizes([patch for _, patch in there])
        return self._settled(found, tables, behind, {n: p for n, p in there if edits[n]})

    def _edits(self) -> dict[int, bytes | None]:
        """Return the new bytes of every item that changes; None of one that goes."""
        found: dict[int, bytes | None] = {}
        for block, exif in edited_blocks(self._opened, self._changes):
            assert isinstance(block.inside, Parts)
            found[block.inside.item.number] = None if exif is None else block.prefix + exif
        for number, text in self._changes.changed.items():
            parts = self._opened.held[number].how
            if isinstance(parts, Parts):
                found[parts.item.number] = None if text is None else text.text.encode()
        return found

    def _fresh(self) -> dict[int, tuple[str, bytes]]:
        exif = new_block(self._opened, self._changes)
        made = [("Exif", _NOTHING + exif)] if exif else []
        made += [(XMP_TYPE, text.text.encode()) for text in self._changes.added_in("xmp")]
        numbers = [item.number for item in self._meta.items]
        numbers += [row.item for row in self._meta.locations.rows]
        return dict(enumerate(made, max(numbers, default=0) + 1))

    def _runs(self, number: int) -> list[_Run]:
        """Return where an item lies, without what is another item's, too."""
        if number not in self._known:
            self._known[number] = self._found(number)
        return self._known[number]

    def _found(self, number: int) -> list[_Run]:
        spans = list(self._bytes(number))
        others = [span for span, owner in self._spans if owner != number]
        free = [one for one in spans if not any(s < one[1] and one[0] < e for s, e in others)]
        data = [one for one in self._opened.pieces if one.kind == "mdat"]
        alone = len(spans) == len(free) == 1
        return [
            _Run(start, end, alone and any(d.body <= start and end <= d.end for d in data))
            for start, end in free
        ]

    @cached_property
    def _spans(self) -> list[tuple[tuple[int, int], int]]:
        """Where every item lies whose bytes are in this file, each run with the item's number."""
        here = (row for row in self._rows.values() if not row.reference and row.method < 2)
        numbers = [row.item for row in here if row.item in self._items]
        return [(span, number) for number in numbers for span in self._bytes(number)]

    def _bytes(self, number: int) -> Iterator[tuple[int, int]]:
        item, row = self._items[number], self._rows[number]
        return item_bytes(self._window, Parts(item, self._meta, self._piece.start, row))

    def _in_place(self, number: int, new: bytes | None) -> Iterator[tuple[int, Patch]]:
        for run in self._runs(number):
            if run.alone:
                yield number, Patch(run.start, run.end, new or b"")

    def _wiped(self, number: int) -> Iterator[Patch]:
        for run in self._runs(number):
            if run.end <= self._piece.start or run.start >= self._piece.end:
                yield Patch(run.start, run.end, bytes(run.end - run.start))

    def _inside(self, number: int) -> Iterator[tuple[int, int]]:
        for run in self._runs(number):
            if self._piece.start <= run.start and run.end <= self._piece.end:
                yield run.start - self._piece.start, run.end - self._piece.start

    def _sizes(self, inside: Iterable[Patch]) -> Iterator[Patch]:
        """Return patches of the sizes of the data boxes in which something grows or shrinks."""
        for box in self._opened.pieces:
            mine = [one for one in inside if box.body <= one.start and one.end <= box.end]
            grown = sum(len(one.new) - (one.end - one.start) for one in mine)
            said = int.from_bytes(self._file.read(box.start, 4), "big")
            if grown and said:  # 0 stands for all that follows
                at, width = (box.start + 8, 8) if said == 1 else (box.start, 4)
                size = box.end - box.start + grown
                yield Patch(at, at + width, size.to_bytes(width, "big"))

    def _settled(
        self, found: list[Patch], tables: Tables, behind: Mapping[int, bytes],
        there: Mapping[int, Patch],
    ) -> list[Patch]:  # fmt: skip
        """Return all patches, now that the length of each is known, with the offsets after them."""
        lengths = {n: (0, len(body)) for n, body in behind.items()}
        lengths |= {n: (0, len(patch.new)) for n, patch in there.items()}
        draft = written(self._meta, tables, lengths, lambda at: at)
        move = moved([*found, Patch(self._piece.start, self._piece.end, draft)])
        last = self._opened.pieces[-1]
        end = min(last.end, self._file.size)
        open_end = last.kind == "mdat" and self._file.read(last.start, 4) == bytes(4)
        body = b"".join(behind.values())
        tail = body if open_end or not body else new_data([body])
        at = move(end) + len(tail) - len(body)
        places = {n: (move(patch.start), len(patch.new)) for n, patch in there.items()}
        for number, part in behind.items():
            places[number] = at, len(part)
            at += len(part)
        meta = Patch(self._piece.start, self._piece.end, written(self._meta, tables, places, move))
        return [*found, meta, Patch(end, end, tail)]
