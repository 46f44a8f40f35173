"""Which tensors of one layout are which of another: links between names, in the order of a table.

A link is one tensor on either side, or several on one side that are joined on the other. Maps are
one-to-one: the way back gives the same names. Only what tensors are called and made of is said
here; `kanna.ops.relayout` makes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kanna.errors import Incompatible
from kanna.families.name_rows import NameRow, expand_side, highest_numbers, last_numbers
from kanna.families.name_tables import name_rows, name_tables
from kanna.families.unet_blocks import Block, unet_blocks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """Tensors that are the same numbers in both layouts: one, or several that are joined.

    Of `sources` and `targets` at most one side has several, which follow one another along the
    first dimension in the relative sizes `shares` (empty: all alike). With `swap` the two halves
    along it change places, with `transpose` the matrix is turned; `fold` says that a 1x1
    convolution becomes a ``matrix``, or the other way round a ``convolution``. With `beside` they
    are no weights but what stands beside the weights of that link, such as their scales.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    shares: tuple[int, ...] = ()
    swap: bool = False
    transpose: bool = False
    fold: str | None = None
    beside: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayoutMap:
    """Which tensors become which, in the order of the table; `unmapped` have no place in it."""

    links: tuple[Link, ...]
    unmapped: tuple[str, ...]


def layout_map(table: str, names: Iterable[str], *, source: str, target: str) -> LayoutMap:
    """Return what `names`, in the layout `source`, become in the layout `target`.

    Names are relative to the model's prefix. A layout's older spellings are among the sources,
    never among the targets.

    Raises:
        KeyError: no such table, or it has no such layout.
        Incompatible: of tensors that become one, some are missing; or the blocks make no model.
    """
    present = dict.fromkeys(names)
    links = _present(_all_links(table, present, source, target), present)
    rest = _without(present, links)
    links += _present(_links_beside(links, rest), rest)
    return LayoutMap(links=tuple(links), unmapped=tuple(_without(present, links)))


def _without(names: Iterable[str], links: Iterable[Link]) -> dict[str, None]:
    mapped = {name for link in links for name in link.sources}
    return dict.fromkeys(name for name in names if name not in mapped)


def _present(links: Iterable[Link], present: Collection[str]) -> list[Link]:
    """Return the links whose tensors are there; a tensor is taken, and made, by the first only.

    Raises:
        Incompatible: of tensors that become one, some are missing.
    """
    found: list[Link] = []
    mapped: set[str] = set()
    made: set[str] = set()
    for link in links:
        here = [name for name in link.sources if name in present]
        if not here or not mapped.isdisjoint(here) or not made.isdisjoint(link.targets):
            continue
        if len(here) < len(link.sources):
            lacking = [name for name in link.sources if name not in present]
            raise Incompatible("relayout.lacks", name=link.targets[0], missing=", ".join(lacking))
        found.append(link)
        mapped.update(link.sources)
        made.update(link.targets)
    return found


def _all_links(table: str, names: Collection[str], source: str, target: str) -> Iterator[Link]:
    """Yield every link that the table has between the layouts, whether its tensors are there.

    Raises:
        KeyError: there is no such table, or it has no such layout.
        Incompatible: the blocks make no model, or they are too many.
    """
    raw, rows = name_tables()[table], name_rows(table)
    for layout in (source, target):
        if not any(layout in row.sides for row in rows):
            raise KeyError(layout)
    try:
        blocks = unet_blocks(names, source) if "structure" in raw else []
        highest = highest_numbers(names)
        for layout in (source, *raw.get("reads_also", {}).get(source, ())):
            for row in rows:
                if layout in row.sides and target in row.sides:
                    yield from _row_links(row, layout, source, target, highest, blocks)
    except ValueError as error:
        raise Incompatible("relayout.unclear", name=error) from error


def _row_links(
    row: NameRow,
    spelling: str,
    source: str,
    target: str,
    highest: Mapping[str, int],
    blocks: Iterable[Block],
) -> Iterator[Link]:
    """Yield the links of one row, inside every block that it is for."""
    sides = row.sides[spelling], row.sides[target]
    if row.inside is None:
        places = [sides]
    else:
        places = [
            (_under(block.name(source), sides[0]), _under(block.name(target), sides[1]))
            for block in blocks
            if block.kind == row.inside
        ]
    for sources, targets in places:
        lasts = last_numbers(sources, highest)
        if lasts is not None:
            pairs = zip(expand_side(sources, lasts), expand_side(targets, lasts), strict=True)
            for here, there in pairs:
                yield from _linked(row, source, target, here, there)


def _under(name: str, side: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}.{pattern}" for pattern in side)


def _linked(
    row: NameRow, source: str, target: str, here: tuple[str, ...], there: tuple[str, ...]
) -> Iterator[Link]:
    folds = (source in row.matrix) is not (target in row.matrix)
    fold = ("matrix" if target in row.matrix else "convolution") if folds else None
    if len(here) == len(there):
        for name, other in zip(here, there, strict=True):
            yield Link(
                sources=(name,),
                targets=(other,),
                swap=(source in row.swap) is not (target in row.swap),
                transpose=(source in row.transpose) is not (target in row.transpose),
                fold=fold,
            )
    else:
        yield Link(sources=here, targets=there, shares=row.shares, fold=fold)


def _links_beside(links: Iterable[Link], names: Iterable[str]) -> Iterator[Link]:
    """Yield where those of `names` go that stand beside the weight of a link: scales, markers.

    Beside ``x.weight`` stand ``x.scale_weight`` and ``x.weight.absmax`` alike.

    Raises:
        Incompatible: a weight has a name in the other layout that says nothing of what is beside.
    """
    owners = {
        start: link
        for link in links
        for name in link.sources
        for start in (name, name.removesuffix("weight"))
        if start == name or start.endswith(".")
    }
    longest = max(map(len, owners), default=0)  # strangers' names may be endless
    for name in names:
        cuts = [at for at, letter in enumerate(name[: longest + 1]) if letter == "."][::-1]
        starts = (start for at in cuts for start in (name[:at], name[: at + 1]))
        start = next((start for start in starts if start in owners), None)
        if start is not None:
            link, rest = owners[start], name[len(start) :]
            if not all(other.endswith(".weight") for other in link.targets):
                raise Incompatible("relayout.beside", name=name, weight=link.sources[0])
            yield Link(
                sources=tuple(_beside(start, other, rest) for other in link.sources),
                targets=tuple(_beside(start, other, rest) for other in link.targets),
                beside=link,
            )


def _beside(start: str, weight: str, rest: str) -> str:
    return (weight.removesuffix("weight") if start.endswith(".") else weight) + rest
