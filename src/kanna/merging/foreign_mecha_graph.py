"""What the instructions of sd-mecha make, as sources and steps of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from kanna.errors import UsageError
from kanna.merging.foreign_mecha_methods import MASKS, PASSED, ROWS, Difference, Mask, Model, Row
from kanna.merging.recipe import Recipe, Source, Step, Value, Weight, Wish

_BLOCK: Final = re.compile(r"[A-Z][A-Z0-9_]{0,15}")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"


def refusal(method: str, line: int) -> UsageError:
    """Return the error for a method that does not exist here, or not in this place."""
    return UsageError("recipe.foreign_method", program="sd-mecha", method=method, where=line)


class Graph:
    """The sources and steps that the lines have made so far."""

    def __init__(self) -> None:
        """Begin without any."""
        self._sources: dict[str, Source] = {}
        self._steps: list[Step] = []

    def recipe(self, last: object) -> Recipe:
        """Return the whole recipe; `last` is what the last line made.

        Raises:
            UsageError: that is no model that was merged.
        """
        if not isinstance(last, Model) or not self._steps:
            raise UsageError("recipe.no_steps")
        return Recipe(sources=self._sources, steps=tuple(self._steps),
                      output=Wish(step=last.name))  # fmt: skip

    def model(self, path: str) -> Model:
        """Return the file at `path`."""
        for name, source in self._sources.items():
            if source.path == path:
                return Model(name)
        count = len(self._sources)
        name = _ALPHABET[count] if count < len(_ALPHABET) else f"model{count + 1}"
        if not path or "\0" in path:
            raise UsageError("recipe.no_path", where=name)
        self._sources[name] = Source(path=path)
        return Model(name)

    def merge(
        self, method: str, listed: Sequence[object], named: Mapping[str, object], line: int
    ) -> object:
        """Return what a method of its makes.

        Raises:
            UsageError: there is no such method here, or not of such things.
        """
        if method in PASSED and listed:
            return listed[0]
        if method == "subtract":
            of, base = self._models(listed, named, 2, method, line)
            return Difference("add-difference", (of,), base)
        if method in MASKS:
            models = self._models(listed, named, 3, method, line)
            alpha = named.get("alpha", listed[3] if len(listed) > 3 else 1.0)
            return Mask(MASKS[method], models, _weight(alpha, method, line))
        if method == "ties_sum":
            return self._ties(listed, named, line)
        if method == "add_difference":
            return self._added(listed, named, line)
        row = ROWS.get(method)
        if row is None or (method == "clamp" and named.get("stiffness", 0) not in (0, {"key": 0})):
            raise refusal(method, line)
        return self._row(method, row, listed, named, line)

    def _row(
        self,
        method: str,
        row: Row,
        listed: Sequence[object],
        named: Mapping[str, object],
        line: int,
    ) -> Model:
        models = self._models(listed, named, row.models, method, line)
        rest = dict(zip(row.numbers, listed[len(models) :], strict=False)) | dict(named)
        numbers = {
            name: _weight(rest.get(name, default), method, line)
            for name, default in row.numbers.items()
        }
        return self._step(row.method, models, None, {**row.fixed, **numbers})

    def _added(self, listed: Sequence[object], named: Mapping[str, object], line: int) -> Model:
        """Add a difference to a model; one of several models is taken from that very model."""
        words = dict(zip(("a", "b", "alpha"), listed, strict=False)) | dict(named)
        to, what = words.get("a"), words.get("b")
        if not isinstance(to, Model) or not isinstance(what, Difference):
            raise refusal("add_difference", line)
        if isinstance(mask := words.get("alpha"), Mask):
            if mask.models != (to.name, *what.models, what.base):
                raise refusal(mask.method, line)
            return self._step(mask.method, mask.models[:2], what.base, {"alpha": mask.alpha})
        scale = {what.scale: _weight(words.get("alpha", 1.0), "add_difference", line)}
        if what.method == "add-difference":
            return self._step(what.method, (to.name, *what.models), what.base, scale)
        if to.name != what.base:
            raise refusal(f"add_difference + {what.method}", line)
        return self._step(what.method, what.models, what.base, {**what.parameters, **scale})

    def _ties(self, listed: Sequence[object], named: Mapping[str, object], line: int) -> Difference:
        found = [one for one in listed if isinstance(one, Difference)]
        bases = {one.base for one in found}
        plain = all(one.method == "add-difference" for one in found)
        votes = named.get("vote_sgn", False)
        if len(found) != len(listed) or len(bases) != 1 or not plain or votes not in _NO:
            raise refusal("ties_sum", line)
        density = _weight(named.get("k", 1.0), "ties_sum", line)
        models = tuple(one.models[0] for one in found)
        parameters: dict[str, Value] = {"density": tuple(density for _ in models)}
        return Difference("ties", models, found[0].base, parameters, "scale")

    def _models(
        self, listed: Sequence[object], named: Mapping[str, object], count: int, method: str,
        line: int,
    ) -> tuple[str, ...]:  # fmt: skip
        """Return the names of `count` models, or of all that there are."""
        words = [*listed, *(named[key] for key in "abc" if key in named)]
        found = words[:count] if count else words
        names = tuple(one.name for one in found if isinstance(one, Model))
        if len(names) < max(len(found), count, 2):
            raise refusal(method, line)
        return names

    def _step(
        self, method: str, models: tuple[str, ...], base: str | None,
        parameters: Mapping[str, Value],
    ) -> Model:  # fmt: skip
        name = f"step{len(self._steps) + 1}"
        self._steps.append(
            Step(name=name, method=method, models=models, base=base, parameters=parameters)
        )
        return Model(name)


_NO: Final = (False, 0.0, {"key": 0.0})


def _weight(value: object, method: str, line: int) -> Weight:
    """Return a number, or one for each block."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Weight(value=float(value))
    if isinstance(value, dict) and value.keys() == {"key"}:
        return Weight(value=value["key"])
    if not isinstance(value, dict) or not value or not all(map(_BLOCK.fullmatch, value)):
        raise refusal(method, line)
    blocks = ",".join(f"{key}={repr(one).removesuffix('.0')}" for key, one in value.items())
    return Weight(value=value.get("BASE", 0.0), blocks=blocks)
