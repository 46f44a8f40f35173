"""The item tables of AVIF and HEIF, written anew with items that change, come and go.

Source: as `kanna.pictures.avif_meta`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kanna.pictures.avif_meta import NOWHERE, Extent, Location, Locations, Meta
from kanna.pictures.boxes import Box, Fields, boxes

_SHORT: Final = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What becomes of a meta box.

    `gone` are items that go. `fresh` items come, each with its type. `places` are the runs of items
    whose bytes are elsewhere now, counted from the start of the new file. `wiped` are ranges of the
    box that become zeros.
    """

    gone: Collection[int]
    fresh: Mapping[int, str]
    wiped: Collection[tuple[int, int]]


def written(
    meta: Meta, tables: Tables, places: Mapping[int, tuple[int, int]], move: Callable[[int], int]
) -> bytes:
    """Return the meta box with other items.

    `places` gives start and length in the new file for items whose bytes are new, and `move` where
    a place of the old file is. The length of the result depends on neither.

    Raises:
        OverflowError: a number does not fit into the table.
    """
    data = bytearray(meta.data)
    for start, end in tables.wiped:
        data[start:end] = bytes(end - start)
    made = {
        "iinf": _items(meta, tables),
        "iloc": _locations(_moved(meta, tables, places, move)),
        "iref": _references(meta, tables),
    }
    first = min(box.start for box in meta.boxes.values())
    parts = [
        made.pop(box.kind, bytes(data[box.start : box.end]))
        for box in boxes(bytes(data), first, len(data))
    ]
    parts += made.values()
    return _box("meta", meta.data[first - 4 : first] + b"".join(parts))


def new_data(parts: Iterable[bytes]) -> bytes:
    """Return a box for the bytes of items."""
    return _box("mdat", b"".join(parts))


def _box(kind: str, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind.encode() + body


def _items(meta: Meta, tables: Tables) -> bytes:
    kept = [one.raw for one in meta.items if one.number not in tables.gone]
    kept += [_entry(number, kind) for number, kind in tables.fresh.items()]
    version = int(len(kept) > _SHORT)
    return _box(
        "iinf",
        bytes([version, 0, 0, 0]) + len(kept).to_bytes(4 if version else 2, "big") + b"".join(kept),
    )


def _entry(number: int, kind: str) -> bytes:
    """Return what the table says of a new item; a kind that is no type of items is a media type."""
    wide = number > _SHORT
    head = bytes([3 if wide else 2, 0, 0, 0]) + number.to_bytes(4 if wide else 2, "big") + b"\0\0"
    if kind == "Exif":
        return _box("infe", head + b"Exif\0")
    return _box("infe", head + b"mime\0" + kind.encode() + b"\0")


def _moved(
    meta: Meta, tables: Tables, places: Mapping[int, tuple[int, int]], move: Callable[[int], int]
) -> Locations:
    old = meta.locations if "iloc" in meta.boxes else NOWHERE
    rows = [_row(row, places, move) for row in old.rows if row.item not in tables.gone]
    rows += [_found(number, places) for number in tables.fresh]
    version = 2 if old.version == 2 or max((row.item for row in rows), default=0) > _SHORT else old.version  # fmt: skip # noqa: E501
    offset, length, base, number = old.widths
    return Locations(version, (offset or 4, length or 4, base, number), tuple(rows))


def _row(
    row: Location, places: Mapping[int, tuple[int, int]], move: Callable[[int], int]
) -> Location:
    if row.item in places:
        return _found(row.item, places)
    if row.method or row.reference:
        return row
    deltas = [move(at) - at for at in (row.base + one.offset for one in row.extents)]
    if row.base and len(set(deltas)) == 1:
        return row._replace(base=row.base + deltas[0])
    extents = [
        one._replace(offset=one.offset + delta)
        for one, delta in zip(row.extents, deltas, strict=True)
    ]
    return row._replace(extents=tuple(extents))


def _found(number: int, places: Mapping[int, tuple[int, int]]) -> Location:
    return Location(number, 0, 0, 0, (Extent(0, *places[number]),))


def _locations(table: Locations) -> bytes:
    version, (offset, length, base, number), rows = table
    wide = 4 if version == 2 else 2
    parts = [
        bytes([version, 0, 0, 0, offset << 4 | length, base << 4 | (number if version else 0)]),
        len(rows).to_bytes(wide, "big"),
    ]
    for row in rows:
        parts.append(row.item.to_bytes(wide, "big"))
        parts.append(row.method.to_bytes(2, "big") if version else b"")
        parts += [row.reference.to_bytes(2, "big"), row.base.to_bytes(base, "big")]
        parts.append(len(row.extents).to_bytes(2, "big"))
        for extent in row.extents:
            parts.append(extent.number.to_bytes(number if version else 0, "big"))
            parts += [extent.offset.to_bytes(offset, "big"), extent.length.to_bytes(length, "big")]
    return _box("iloc", b"".join(parts))


def _references(meta: Meta, tables: Tables) -> bytes:
    """Return the table of what describes what: a new item describes the picture."""
    box = meta.boxes.get("iref")
    version = meta.data[box.body] if box else int(max(tables.fresh, default=0) > _SHORT)
    wide = 4 if version else 2
    kept = list(_kept_references(meta, box, tables, wide)) if box else []
    for number in tables.fresh:
        target = meta.primary or 0
        kept.append(_box("cdsc", b"".join(n.to_bytes(w, "big") for n, w in ((number, wide), (1, 2), (target, wide)))))  # fmt: skip # noqa: E501
    if not kept and box is None:
        return b""
    return _box("iref", bytes([version, 0, 0, 0]) + b"".join(kept))


def _kept_references(meta: Meta, box: Box, tables: Tables, wide: int) -> Iterator[bytes]:
    for one in boxes(meta.data, box.body + 4, box.end):
        if Fields(meta.data, one.body, one.end).number(wide) not in tables.gone:
            yield meta.data[one.start : one.end]
