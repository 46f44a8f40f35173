"""The rows of the name tables: one folded pattern for each layout, expanded side by side.

A row says what the same tensors are called in each layout. Where a side is a list of patterns,
those tensors, one after the other along the first dimension, are the one tensor of the other side.
``{last}`` is the highest number that stands at that place among the tensors at hand: ``{0..last}``
and, for counting the other way, ``{last..0}``, ``{0..last-1}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from kanna.families.keys import expand
from kanna.families.unet_blocks import BLOCK_KINDS

_OPTIONS: Final = frozenset({"rows", "swap", "transpose", "matrix", "inside"})
_PLACE: Final = re.compile(r"\{[^{}]*last[^{}]*\}")
_TERM: Final = re.compile(r"last(-\d+)?")
# No model has a thousand blocks: a longer number in a stranger's file is no reason to count to it.
_NUMBER: Final = re.compile(r"(?<![0-9])[0-9]{1,3}(?![^.])")
# Nor has a name more numbers: what stands before each is kept.
_MOST_NUMBERS: Final = 8
_STRUCTURES: Final = ("unet",)
# Each place of a pattern is tried with this number where no tensors are at hand.
_ANY_LAST: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NameRow:
    """The patterns of the same tensors by layout, several where they are one tensor elsewhere.

    `shares` are the relative sizes of those (empty: all alike). The layouts of `swap` have the two
    halves along the first dimension in the other order than the others have, those of `transpose`
    the matrix turned, and those of `matrix` a weight [a, b] that is [a, b, 1, 1] in the others.
    Where `inside` is set, the patterns follow the names of such blocks: see `unet_blocks`.
    """

    sides: Mapping[str, tuple[str, ...]]
    shares: tuple[int, ...] = ()
    swap: frozenset[str] = frozenset()
    transpose: frozenset[str] = frozenset()
    matrix: frozenset[str] = frozenset()
    inside: str | None = None


def make_row(raw: Mapping[str, Any]) -> NameRow:
    """Return a raw row as a value.

    Raises:
        ValueError: a side is neither a pattern nor a list of them, an option does not hold what it
            must, or the sides or the options do not go together.
    """
    sides = {layout: _texts(side) for layout, side in raw.items() if layout not in _OPTIONS}
    row = NameRow(
        sides=sides,
        shares=tuple(raw.get("rows", ())),
        swap=_other(raw.get("swap", []), sides),
        transpose=_other(raw.get("transpose", []), sides),
        matrix=_other(raw.get("matrix", []), sides),
        inside=raw.get("inside"),
    )
    lengths = {len(side) for side in sides.values()} - {1}
    places = {len(_PLACE.findall(pattern)) for side in sides.values() for pattern in side}
    turns = bool(lengths) + bool(row.swap) + bool(row.transpose)  # two could not be undone in order
    if len(sides) < 2 or len(lengths) > 1 or len(places) > 1 or turns > 1:
        raise ValueError(raw)
    if row.shares and (lengths != {len(row.shares)} or not all(map(_is_count, row.shares))):
        raise ValueError(raw)
    if row.inside not in {None, *BLOCK_KINDS}:
        raise ValueError(f"inside = {row.inside}")
    return row


def _other(value: Any, sides: Mapping[str, object]) -> frozenset[str]:
    """Return the layouts that are named as those where it is otherwise.

    Raises:
        ValueError: a layout is none of the row's.
    """
    layouts = frozenset(_texts(value))
    if not layouts <= sides.keys():
        raise ValueError(f"{value} = ?")
    return layouts


def rows_of(table: Mapping[str, Any], tables: Mapping[str, Any]) -> list[NameRow]:
    """Return the rows of a raw table: its own first, then those of the table it is `like`.

    Of the latter those are left out that have a name in common with its own, which take their
    place: else two names would have one place.

    Raises:
        KeyError: there is no such table.
        ValueError: a row cannot be used.
    """
    own = [make_row(raw) for raw in table["row"]]
    if "like" not in table:
        return own
    taken = set[str]().union(*map(_names, own))
    return own + [
        row for row in rows_of(tables[table["like"]], tables) if taken.isdisjoint(_names(row))
    ]


def _names(row: NameRow) -> Iterator[str]:
    for layout, side in row.sides.items():
        for group in expand_side(side, None):
            yield from (f"{layout} {row.inside}: {name}" for name in group)


def check_names(table: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
    """Check that the sides of every row match, and that every layout that is named has rows.

    Raises:
        ValueError: they do not, or it has none.
        KeyError: a table is like one that is not there.
    """
    rows = rows_of(table, tables)
    for row in rows:
        sizes = {len(expand_side(side, None)) for side in row.sides.values()}
        if len(sizes) > 1 or (row.inside and "structure" not in table):
            raise ValueError(dict(row.sides))
    layouts = {layout for row in rows for layout in row.sides}
    also = table.get("reads_also", {})
    named = [*table.get("old", ()), *also, *(old for olds in also.values() for old in olds)]
    if "old" in table:
        named.append(table["standard"])
    for word in named:
        if word not in layouts:
            raise ValueError(f"{word} = ?")
    if table.get("structure", _STRUCTURES[0]) not in _STRUCTURES:
        raise ValueError(f"structure = {table['structure']}")


def expand_side(side: Iterable[str], lasts: Sequence[int] | None) -> list[tuple[str, ...]]:
    """Return the names that a side stands for, those that belong together side by side.

    `lasts` are the numbers for the places with ``last``, in order; None stands for any.

    Raises:
        ValueError: the patterns of the side have different numbers of names.
    """
    expanded = []
    for pattern in side:
        given = [_ANY_LAST] * len(_PLACE.findall(pattern)) if lasts is None else lasts
        expanded.append(_expand(pattern, given))
    return list(zip(*expanded, strict=True))


def last_numbers(side: Iterable[str], highest: Mapping[str, int]) -> list[int] | None:
    """Return the number of every place with ``last``; None where nothing stands at one of them.

    `highest` are the highest numbers by what stands before them: see `highest_numbers`.
    """
    found: list[list[int]] = []
    for pattern in side:
        lasts: list[int] = []
        for place in _PLACE.finditer(pattern):
            before = _expand(pattern[: place.start()], lasts)
            numbers = [highest[start] for start in before if start in highest]
            if not numbers:
                break
            lasts.append(max(numbers))
        else:
            found.append(lasts)
    return [max(numbers) for numbers in zip(*found, strict=False)] if found else None


def highest_numbers(names: Iterable[str]) -> dict[str, int]:
    """Return the highest number that stands, between dots, behind every beginning of a name."""
    highest: dict[str, int] = {}
    for name in names:
        for match in islice(_NUMBER.finditer(name), _MOST_NUMBERS):
            start, number = name[: match.start()], int(match[0])
            if number >= highest.get(start, 0):
                highest[start] = number
    return highest


def _expand(pattern: str, lasts: Sequence[int]) -> list[str]:
    numbers = iter(lasts)
    numbered = _PLACE.sub(lambda place: _choices(place[0], next(numbers)), pattern)
    return [] if "{}" in numbered else expand(numbered)


def _choices(braces: str, last: int) -> str:
    """Return ``{last..0}`` and the like with numbers; what stands for none is ``{}``."""
    words: list[str] = []
    for choice in braces[1:-1].split(","):
        first, dots, end = choice.partition("..")
        if not dots:
            words.append(first if "last" not in first else str(_term(first, last)))
        elif "last" in first:
            words += map(str, range(_term(first, last), _term(end, last) - 1, -1))
        else:
            words += map(str, range(_term(first, last), _term(end, last) + 1))
    return "{" + ",".join(word for word in words if not word.startswith("-")) + "}"


def _term(text: str, last: int) -> int:
    match = _TERM.fullmatch(text)
    if match:
        return last + int(match[1] or 0)
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _texts(side: Any) -> tuple[str, ...]:
    texts = (side,) if isinstance(side, str) else side
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{str(side)[:80]} = ?")
    return tuple(texts)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0
