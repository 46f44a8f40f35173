"""What an unknown file looks like: the models whose tensors have the same names, in any shape."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from kanna.families import index
from kanna.families.keys import fits
from kanna.identify.recognise import starts, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanna.families import Component
    from kanna.families.keys import Shape

# Fewer names in common than this, or a smaller share of those looked for, are chance.
_FEW: Final = 4
_SHARE: Final = 0.3
# What explains less than this part of the file says nothing about it.
_MOST_STRANGE: Final = 4
_COMPARED: Final = 24
_MOST: Final = 2


class Likeness(NamedTuple):
    """A row of the tables, how many of its names the file has, how many of those in its shape."""

    row: Component
    names: int
    right: int


def likenesses(shapes: Mapping[str, Shape]) -> list[Likeness]:
    """Return the models that the file looks most like, the likest first, one for each family."""
    seen = _seen(shapes)
    wanted = Counter(number for rows in index().values() for number in _numbers(rows))
    shares = {place: len(ends) / wanted[place[0]] for place, ends in seen.items()}
    close = [p for p, ends in seen.items() if shares[p] >= _SHARE and len(ends) >= _FEW]
    compared = [
        _compared(*place, seen[place], shapes)
        for place in sorted(close, key=lambda place: (-shares[place], place))[:_COMPARED]
    ]
    best: dict[str, Likeness] = {}
    for one in sorted(compared, key=lambda one: (-one.names, -one.right)):
        if _MOST_STRANGE * one.names >= len(shapes):
            best.setdefault(one.row.architecture or one.row.family, one)
    return list(best.values())[:_MOST]


def _seen(shapes: Mapping[str, Shape]) -> dict[tuple[int, str], dict[str, bool]]:
    """The names looked for that each row finds under a prefix, and whether in the right shape."""
    seen: defaultdict[tuple[int, str], dict[str, bool]] = defaultdict(dict)
    wanted = index()
    for name, shape in shapes.items():
        for start in starts(name):
            end = name[start:]
            for number, slot, rule in wanted.get(end, ()):
                if slot in {"any", "all"}:
                    ends = seen[number, name[:start]]
                    ends[end] = ends.get(end, False) or fits(shape, rule)
    return seen


def _numbers(rows: list[list[object]]) -> set[object]:
    return {number for number, slot, _ in rows if slot in {"any", "all"}}


def _compared(
    number: int, prefix: str, ends: Mapping[str, bool], shapes: Mapping[str, Shape]
) -> Likeness:
    """Compare the whole list of a row that has one, and else the names looked for."""
    found = verify(number, prefix, shapes, 0)
    if found.listed:
        return Likeness(found.row, len(found.known), found.right)
    return Likeness(found.row, len(ends), sum(ends.values()))
