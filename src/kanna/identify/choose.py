"""Take the first row of a list that holds: a variant, a base model, a prediction."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from kanna.families.keys import expand, fits, parse_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from kanna.families import Choice
    from kanna.families.keys import Shape, ShapeRule

_NOT: Final = {True: False, False: True, None: None}


class Names:
    """The names and shapes of a file, asked for by the lines of choices."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        """Look at `shapes`, which must not change from the first question on."""
        self.shapes = shapes
        self._by_last: defaultdict[str, list[str]] = defaultdict(list)

    def choose(
        self, rows: Iterable[Choice], prefix: str = "", *, layout: str | None = None
    ) -> Choice | None:
        """Return the first of `rows` that holds for the part under `prefix`, or None."""
        return next((row for row in rows if self._holds(row, prefix, layout, ())), None)

    def open_rows(
        self, rows: Iterable[Choice], prefix: str, layout: str | None, lost: Collection[str]
    ) -> list[Choice]:
        """Return the rows that `choose` could take if the tensors `lost` were there."""
        left = []
        for row in rows:
            holds = self._holds(row, prefix, layout, lost)
            if holds is not False:
                left.append(row)
            if holds:
                break
        return left

    def _holds(
        self, row: Choice, prefix: str, layout: str | None, lost: Collection[str]
    ) -> bool | None:
        """Whether `row` holds; None where that hangs on a tensor that is lost."""
        if row.layout not in {None, layout}:
            return False
        answers = [_every(self._seen(line, prefix, lost)) for line in row.all]
        answers += [_NOT[_some(self._seen(line, prefix, lost))] for line in row.none]
        if row.any:
            answers.append(
                _some(seen for line in row.any for seen in self._seen(line, prefix, lost))
            )
        return _every(answers)

    def _seen(self, line: str, prefix: str, lost: Collection[str]) -> Iterator[bool | None]:
        """Whether each name that `line` stands for is in the file; None where it is lost."""
        pattern, rule = parse_line(line)
        if pattern.startswith("*"):
            yield from (self._ends_so(end, rule, lost) for end in expand(pattern[1:]))
            return
        first = "" if pattern.startswith(":") else prefix
        for name in expand(pattern.removeprefix(":")):
            shape = self.shapes.get(first + name)
            if shape is not None:
                yield fits(shape, rule)
            else:
                yield None if first + name in lost else False

    def _ends_so(self, name: str, rule: ShapeRule | None, lost: Collection[str]) -> bool | None:
        if not self._by_last:
            for full in self.shapes:
                self._by_last[_last(full)].append(full)
        end = f".{name}"
        for full in self._by_last.get(_last(name), ()):
            if (full == name or full.endswith(end)) and fits(self.shapes[full], rule):
                return True
        return None if any(f".{full}".endswith(end) for full in lost) else False


def _last(name: str) -> str:
    return name[name.rfind(".") + 1 :]


def _every(answers: Iterable[bool | None]) -> bool | None:
    """Whether all are so: one no settles it, and one unknown leaves it open."""
    unknown = False
    for answer in answers:
        if answer is False:
            return False
        unknown |= answer is None
    return None if unknown else True


def _some(answers: Iterable[bool | None]) -> bool | None:
    return _NOT[_every(_NOT[answer] for answer in answers)]
