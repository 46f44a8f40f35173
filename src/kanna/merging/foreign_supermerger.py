"""Recipes of SuperMerger: ``sd_merge_recipe`` of the type ``sd-webui-supermerger``.

Source: hako-mikan/sd-webui-supermerger scripts/mergers/mergers.py (smerge): the metadata that it
writes, its modes, and how the first of its block weights becomes ``base_alpha``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from kanna.errors import UsageError
from kanna.merging.foreign_values import Read, hashed_source, number
from kanna.merging.recipe import Recipe, Step, Value, Weight

_PROGRAM: Final = "SuperMerger"
_MOST_RULES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A mode and a way of computing, as a method of ours."""

    method: str
    models: str = "ab"
    base: str | None = None
    numbers: tuple[str, ...] = ("alpha",)


# calcmode -> beginning of the mode -> method
_METHODS: Final[Mapping[str, Mapping[str, _Row]]] = {
    "normal": {
        "Weight": _Row(method="weighted-sum"),
        "Add": _Row(method="add-difference", base="c"),
        "Triple": _Row(method="triple-sum", models="abc", numbers=("alpha", "beta")),
        "sum Twice": _Row(method="sum-twice", models="abc", numbers=("alpha", "beta")),
    },
    "cosineA": {"Weight": _Row(method="cosine-a")},
    "cosineB": {"Weight": _Row(method="cosine-b")},
    "trainDifference": {"Add": _Row(method="train-difference", base="c")},
    "smoothAdd": {"Add": _Row(method="smooth-add-difference", base="c")},
    "smoothAdd MT": {"Add": _Row(method="smooth-add-difference", base="c")},
    "tensor": {"Weight": _Row(method="tensor-sum", numbers=("alpha", "beta"))},
    "self": {"Weight": _Row(method="self-scale", models="a")},
}


def from_supermerger(merged: Mapping[str, Any], models: Mapping[str, Any]) -> Read:
    """Return the recipe of one merge.

    Raises:
        UsageError: it has a method or a rule that does not exist here, or a number is missing.
    """
    calcmode, mode = str(merged.get("calcmode", "normal")), str(merged.get("mode"))
    rows = _METHODS.get(calcmode, {})
    row = next((row for start, row in rows.items() if mode.startswith(start)), None)
    if row is None:
        raise UsageError("recipe.foreign_method", program=_PROGRAM, method=f"{calcmode} / {mode}",
                         where="calcmode")  # fmt: skip
    _refuse_rules(merged)
    used = (*row.models, *((row.base,) if row.base else ()))
    sources = {
        name: hashed_source(merged.get(f"model_{name}"), models, f"model_{name}") for name in used
    }
    parameters: dict[str, Value] = {name: _weight(merged, name) for name in row.numbers}
    parameters["alpha"] = replace(_weight(merged, "alpha"), elements=_elements(merged))
    step = Step(name="merge", method=row.method, models=tuple(row.models), base=row.base,
                parameters=parameters)  # fmt: skip
    return Read(recipe=Recipe(sources=sources, steps=(step,)))


def _weight(merged: Mapping[str, Any], name: str) -> Weight:
    """Return a number, with the weights of the blocks behind the first one where it has them."""
    base = number(merged.get(f"base_{name}"), f"base_{name}")
    given = merged.get(f"weights_{name}")
    if not merged.get("mbw") or not given:
        return Weight(value=base)
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, list) or len(words) > 200:
        raise UsageError("recipe.no_list", where=f"weights_{name}", value=given)
    found = [base, *(number(word, f"weights_{name}") for word in words)]
    blocks = ",".join(repr(one).removesuffix(".0") for one in found)
    return Weight(value=base, blocks=blocks)


def _refuse_rules(merged: Mapping[str, Any]) -> None:
    """Refuse what decides numbers and cannot be said here."""
    for key in ("Include", "Exclude"):
        if _texts(merged.get(key)):
            raise UsageError("recipe.foreign_rule", program=_PROGRAM, where=key)


def _elements(merged: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the rules by element, which ``elements`` takes as they are: blocks:elements:number."""
    rules = _texts(merged.get("elemental_merge"))
    for rule in rules:
        _, _, last = rule.rpartition(":")
        if rule.count(":") != 2 or len(rules) > _MOST_RULES:
            raise UsageError("recipe.foreign_rule", program=_PROGRAM, where="elemental_merge")
        number(last.strip(), "elemental_merge")
    return rules


def _texts(value: object) -> tuple[str, ...]:
    """Return the lines of what is text or a list of it."""
    texts = value if isinstance(value, list) else [value or ""]
    lines = (line.strip() for text in texts if text for line in re.split("[,\n]", str(text)))
    return tuple(line for line in lines if line)
