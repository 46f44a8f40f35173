"""The item tables of AVIF and HEIF: what a picture is made of, and where each part lies.

Source: ISO/IEC 14496-12 (2022) 8.11: meta (8.11.1), iloc (8.11.3), pitm (8.11.4), iinf (8.11.6);
ISO/IEC 23008-12 6.5.3: ispe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kanna.pictures.boxes import MOST, Box, BrokenTable, Fields, box_at, boxes


class Extent(NamedTuple):
    """A run of an item's bytes, and the number that some versions have before it."""

    number: int
    offset: int
    length: int


class Location(NamedTuple):
    """Where an item lies: `method` 0 counts offsets from the start of the file, 1 of `idat`."""

    item: int
    method: int
    reference: int
    base: int
    extents: tuple[Extent, ...]


class Locations(NamedTuple):
    """The iloc box: its version, the widths of its numbers, and a row for every item."""

    version: int
    widths: tuple[int, int, int, int]  # of offset, length, base and index
    rows: tuple[Location, ...]


NOWHERE = Locations(0, (4, 4, 4, 0), ())


class Item(NamedTuple):
    """An infe box: its bytes, and what it says."""

    raw: bytes
    number: int
    type: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """A meta box taken apart; `data` is all of it, and the boxes' places count from its start."""

    data: bytes
    boxes: Mapping[str, Box]
    items: Sequence[Item]
    locations: Locations
    primary: int | None
    size: tuple[int, int] | None


def read_meta(data: bytes) -> Meta:
    """Take the meta box that is `data` apart.

    Raises:
        BrokenTable: a table of it is shorter than its own numbers say.
    """
    outer = box_at(data[:16], 0, len(data))
    found: dict[str, Box] = {}
    for box in boxes(data, outer.body + 4, outer.end):
        found.setdefault(box.kind, box)
    primary = _primary(data, found.get("pitm"))
    return Meta(
        data=data,
        boxes=found,
        items=tuple(_items(data, found["iinf"])) if "iinf" in found else (),
        locations=_locations(data, found["iloc"]) if "iloc" in found else NOWHERE,
        primary=primary,
        size=_size(data, found.get("iprp"), primary),
    )  # fmt: skip


def _primary(data: bytes, box: Box | None) -> int | None:
    if box is None:
        return None
    fields = Fields(data, box.body, box.end)
    version = fields.number(4) >> 24
    return fields.number(4 if version else 2)


def _items(data: bytes, box: Box) -> Iterator[Item]:
    fields = Fields(data, box.body, box.end)
    version = fields.number(4) >> 24
    fields.number(4 if version else 2)
    for entry in boxes(data, fields.at, box.end):
        if entry.kind == "infe":
            yield _item(data, entry)


def _item(data: bytes, box: Box) -> Item:
    fields = Fields(data, box.body, box.end)
    version = fields.number(4) >> 24
    number = fields.number(4 if version == 3 else 2)
    fields.number(2)
    kind = content = ""
    if version >= 2:
        kind = fields.raw(4).decode("latin-1")
        fields.text()
        content = fields.text() if kind == "mime" else ""
    return Item(data[box.start : box.end], number, kind, content)


def _locations(data: bytes, box: Box) -> Locations:
    fields = Fields(data, box.body, box.end)
    version = fields.number(4) >> 24
    sizes = fields.number(2)
    widths = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0)
    count = fields.number(4 if version == 2 else 2)
    rows, total = [], 0
    for _ in range(count):
        rows.append(_location(fields, version, widths))
        total += 1 + len(rows[-1].extents)
        if total > MOST:
            raise BrokenTable
    return Locations(version, widths, tuple(rows))


def _location(fields: Fields, version: int, widths: tuple[int, int, int, int]) -> Location:
    offset, length, base, index = widths
    item = fields.number(4 if version == 2 else 2)
    method = fields.number(2) if version else 0
    reference, begin, count = fields.number(2), fields.number(base), fields.number(2)
    if count > MOST:
        raise BrokenTable
    extents = tuple(
        Extent(fields.number(index), fields.number(offset), fields.number(length))
        for _ in range(count)
    )
    return Location(item, method & 15, reference, begin, extents)


def _size(data: bytes, box: Box | None, primary: int | None) -> tuple[int, int] | None:
    """Return width and height of the primary item, by the properties that it has."""
    if box is None:
        return None
    inner = {one.kind: one for one in boxes(data, box.body, box.end)}
    if not {"ipco", "ipma"} <= inner.keys():
        return None
    properties = list(boxes(data, inner["ipco"].body, inner["ipco"].end))
    for number in _associated(data, inner["ipma"], primary):
        if 0 < number <= len(properties) and properties[number - 1].kind == "ispe":
            fields = Fields(data, properties[number - 1].body + 4, properties[number - 1].end)
            return fields.number(4), fields.number(4)
    return None


def _associated(data: bytes, box: Box, item: int | None) -> list[int]:
    fields = Fields(data, box.body, box.end)
    head = fields.number(4)
    wide = head & 1
    for _ in range(fields.number(4)):
        number, count = fields.number(4 if head >> 24 else 2), fields.number(1)
        listed = [fields.number(1 + wide) & (0x7FFF if wide else 0x7F) for _ in range(count)]
        if number == item:
            return listed
    return []
