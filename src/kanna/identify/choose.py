"""Take the first row of a list that holds: a variant, a base model, a prediction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from kanna.families.keys import expand, fits, parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kanna.families import Choice
    from kanna.families.keys import Shape, ShapeRule

    Finder = Callable[[str, ShapeRule | None], bool]


def choose(
    rows: Iterable[Choice],
    shapes: Mapping[str, Shape],
    prefix: str = "",
    *,
    layout: str | None = None,
    underscored: bool = False,
) -> Choice | None:
    """Return the first of `rows` that holds for the part under `prefix`, or None.

    `underscored` says that module paths may be written with ``_`` in the place of dots.
    """
    find = _finder(shapes, prefix, underscored=underscored)
    return next((row for row in rows if _holds(row, find, layout)), None)


def _holds(row: Choice, find: Finder, layout: str | None) -> bool:
    return (
        row.layout in {None, layout}
        and (not row.any or any(_seen(line, find, any) for line in row.any))
        and all(_seen(line, find, all) for line in row.all)
        and not any(_seen(line, find, any) for line in row.none)
    )


def _seen(line: str, find: Finder, how: Callable[[Iterable[bool]], bool]) -> bool:
    """Whether any or all of the names that `line` stands for are in the file."""
    pattern, rule = parse_line(line)
    return how(find(name, rule) for name in expand(pattern))


def _finder(shapes: Mapping[str, Shape], prefix: str, *, underscored: bool) -> Finder:
    by_last: defaultdict[str, list[tuple[str, Shape]]] = defaultdict(list)

    def plain(name: str) -> str:
        return name.replace("_", ".") if underscored else name

    def ends_so(name: str, rule: ShapeRule | None) -> bool:
        if not by_last:
            for full, shape in shapes.items():
                dotted = f".{plain(full)}"
                by_last[dotted[dotted.rfind(".") :]].append((dotted, shape))
        end = f".{plain(name)}"
        same_last = by_last.get(end[end.rfind(".") :], ())
        return any(full.endswith(end) and fits(shape, rule) for full, shape in same_last)

    def find(name: str, rule: ShapeRule | None) -> bool:
        if name.startswith("*"):
            return ends_so(name[1:], rule)
        full = name[1:] if name.startswith(":") else prefix + name
        return full in shapes and fits(shapes[full], rule)

    return find
