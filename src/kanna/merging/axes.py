"""Recipes whose numbers vary: one recipe for each point of a grid, and a name for its output."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kanna.errors import UsageError
from kanna.merging.assigning import with_number
from kanna.merging.axis_values import values_of
from kanna.merging.recipe import Recipe
from kanna.merging.recipe_check import number_at

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One recipe of a sweep, without axes: the numbers that it got, by their paths."""

    numbers: Mapping[str, float]
    recipe: Recipe


def points(recipe: Recipe) -> tuple[Point, ...]:
    """Return the recipes that the axes stand for, the last axis running fastest.

    A recipe without axes is one point without numbers.
    """
    found = []
    for numbers in product(*recipe.axes.values()):
        given = dict(zip(recipe.axes, numbers, strict=True))
        plain = replace(recipe, axes=MappingProxyType({}))
        for path, number in given.items():
            plain = with_number(plain, path, number)
        found.append(Point(numbers=given, recipe=plain))
    return tuple(found)


def swept(recipe: Recipe, asked: Sequence[str]) -> Recipe:
    """Return `recipe` with the axes ``PARAMETER=VALUES`` besides its own.

    Raises:
        UsageError: one is no axis, or the recipe has no such number.
    """
    axes = dict(recipe.axes)
    for one in asked:
        path, mark, values = (part.strip() for part in one.partition("="))
        if not (path and mark and values):
            raise UsageError("recipe.bad_sweep", given=one)
        axes[path_of(recipe, path)] = values_of(values)
    return replace(recipe, axes=axes)


def path_of(recipe: Recipe, path: str) -> str:
    """Return the full path of a number: a parameter alone is that of the one step that has it.

    Raises:
        UsageError: no step has it, or several do.
    """
    first = path.partition(".")[0]
    steps = [step.name for step in recipe.steps if first in step.parameters]
    if not steps or any(step.name == first for step in recipe.steps):
        number_at(recipe, path)
        return path
    if len(steps) > 1:
        raise UsageError("recipe.which_step", path=path, known=", ".join(steps))
    number_at(recipe, f"{steps[0]}.{path}")
    return f"{steps[0]}.{path}"


def names(found: Sequence[Point], wanted: Path) -> tuple[Path, ...]:
    """Return the output of each point: `wanted`, with its numbers in the place of placeholders.

    ``{mix.alpha}``, or ``{alpha}`` where no other axis ends so. Where there are several points and
    no placeholder, each number is added to the stem: ``model-alpha0.3.safetensors``.

    Raises:
        UsageError: a placeholder is no axis, or two outputs would be one.
    """
    labels = _labels(found[0].numbers) if found else {}
    name = wanted.name
    if len(found) > 1 and not _PLACEHOLDER.search(name):
        more = "".join(f"-{_apart(label)}{{{path}}}" for path, label in labels.items())
        name = f"{wanted.stem}{more}{wanted.suffix}"
    made = tuple(wanted.with_name(_filled(name, point, labels)) for point in found)
    twice = [path for path, count in Counter(made).items() if count > 1]
    if twice:
        raise UsageError("recipe.same_output", path=twice[0])
    return made


def number_text(number: float) -> str:
    """Return a number as names and tables have it: ``0.3``, ``1``, never ``1e-05``."""
    text = format(Decimal(repr(float(number))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _labels(paths: Mapping[str, float]) -> dict[str, str]:
    """Return what each path is called: without its step, where that is enough."""
    short = {path: path.partition(".")[2] for path in paths}
    count = Counter(short.values())
    return {path: label if count[label] == 1 else path for path, label in short.items()}


def _apart(label: str) -> str:
    """Return a label that a number may follow."""
    return f"{label}_" if label[-1:].isdigit() else label


def _filled(name: str, point: Point, labels: Mapping[str, str]) -> str:
    numbers = {label: point.numbers[path] for path, label in labels.items()} | dict(point.numbers)

    def number(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            raise UsageError("recipe.no_such_placeholder", name=match[1],
                             known=", ".join(point.numbers) or "-")  # fmt: skip
        return number_text(numbers[match[1]])

    return _PLACEHOLDER.sub(number, name)
