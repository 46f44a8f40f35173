"""Take the first row of a list that holds: a variant, a base model, a prediction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from kanna.families.keys import expand, fits, parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kanna.families import Choice
    from kanna.families.keys import Shape, ShapeRule


class Names:
    """The names and shapes of a file, asked for by the lines of choices.

    `underscored` says that module paths may be written with ``_`` in the place of dots.
    """

    def __init__(self, shapes: Mapping[str, Shape], *, underscored: bool = False) -> None:
        """Look at `shapes`, which must not change from the first question on."""
        self.shapes = shapes
        self._underscored = underscored
        self._by_last: defaultdict[str, list[tuple[str, Shape]]] = defaultdict(list)

    def choose(
        self, rows: Iterable[Choice], prefix: str = "", *, layout: str | None = None
    ) -> Choice | None:
        """Return the first of `rows` that holds for the part under `prefix`, or None."""
        return next((row for row in rows if self._holds(row, prefix, layout)), None)

    def _holds(self, row: Choice, prefix: str, layout: str | None) -> bool:
        return (
            row.layout in {None, layout}
            and (not row.any or any(self._seen(line, prefix, any) for line in row.any))
            and all(self._seen(line, prefix, all) for line in row.all)
            and not any(self._seen(line, prefix, any) for line in row.none)
        )

    def _seen(self, line: str, prefix: str, how: Callable[[Iterable[bool]], bool]) -> bool:
        """Whether any or all of the names that `line` stands for are in the file."""
        pattern, rule = parse_line(line)
        if pattern.startswith("*"):
            return how(self._ends_so(name, rule) for name in expand(pattern[1:]))
        first = "" if pattern.startswith(":") else prefix
        names = (first + name for name in expand(pattern.removeprefix(":")))
        return how(name in self.shapes and fits(self.shapes[name], rule) for name in names)

    def _ends_so(self, name: str, rule: ShapeRule | None) -> bool:
        if not self._by_last:
            for full, shape in self.shapes.items():
                dotted = self._dotted(full)
                self._by_last[dotted[dotted.rfind(".") :]].append((dotted, shape))
        end = self._dotted(name)
        candidates = self._by_last.get(end[end.rfind(".") :], ())
        return any(full.endswith(end) and fits(shape, rule) for full, shape in candidates)

    def _dotted(self, name: str) -> str:
        return f".{name.replace('_', '.') if self._underscored else name}"
