"""A recipe with another value in one place, as ``--set`` and axes want it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Final

from kanna.errors import UsageError
from kanna.merging.axis_values import values_of
from kanna.merging.recipe import Recipe, Step, Value, Weight, Wish
from kanna.merging.recipe_check import number_at
from kanna.merging.recipe_fields import no_such_key

_FLAGS: Final = {"true": True, "false": False}


def assigned(recipe: Recipe, asked: Sequence[str]) -> Recipe:
    """Return `recipe` with what each ``STEP.PARAMETER=VALUE`` says; an axis of that path is gone.

    ``STEP.PARAMETER.blocks=…`` sets block weights, ``STEP.PARAMETER.2=…`` the second number of a
    list, ``STEP.seed=…`` the seed and ``STEP.method=…`` the method; ``output.dtype=…`` and its like
    what is done with the output.

    Raises:
        UsageError: it has no such step, or the value makes no sense.
    """
    for one in asked:
        path, mark, text = (part.strip() for part in one.partition("="))
        if not (path and mark and text):
            raise UsageError("recipe.bad_set", given=one)
        recipe = _assigned(recipe, path, text)
    return recipe


def with_number(recipe: Recipe, path: str, number: float) -> Recipe:
    """Return `recipe` with another number at `path`; block weights beside it stay."""
    name, _, rest = path.partition(".")
    parameter, _, place = rest.partition(".")

    def changed(value: Value | None) -> Value:
        if isinstance(value, tuple):
            at = int(place) - 1
            return (*value[:at], replace(value[at], value=number), *value[at + 1 :])
        if isinstance(value, Weight):
            return replace(value, value=number)
        return int(number) if number == int(number) else Weight(value=number)

    return _with_parameter(recipe, name, parameter, changed)


def _assigned(recipe: Recipe, path: str, text: str) -> Recipe:
    name, _, key = path.partition(".")
    step = next((one for one in recipe.steps if one.name == name), None)
    if step is None and name == "output":
        return replace(recipe, output=_wish(recipe.output, key, text))
    if step is None or not key:
        known = ", ".join(one.name for one in recipe.steps)
        raise UsageError("recipe.no_such_step", name=name, known=known)
    axes = {axis: values for axis, values in recipe.axes.items() if axis != path}
    recipe = replace(recipe, axes=axes)
    if key == "seed":
        return _with_step(recipe, replace(step, seed=int(_number(path, text))))
    if key == "method":
        return _with_step(recipe, replace(step, method=text))
    return _with_value(recipe, step, key, text)


def _wish(wish: Wish, key: str, text: str) -> Wish:
    known = [field.name for field in fields(Wish) if field.name != "dtypes"]
    if key not in known:
        raise no_such_key(f"output.{key}", key, known)
    value = text if key != "prune" else _FLAGS.get(text)
    if value is None:
        raise UsageError("recipe.no_flag", where="output.prune", value=text)
    return replace(wish, **{key: value})  # type: ignore[arg-type]


def _with_value(recipe: Recipe, step: Step, key: str, text: str) -> Recipe:
    parameter, _, part = key.partition(".")
    if part == "blocks":
        number = number_at(recipe, f"{step.name}.{parameter}")
        weight = Weight(value=number, blocks=text)
        return _with_parameter(recipe, step.name, parameter, lambda _: weight)
    path = f"{step.name}.{key}"
    if part:
        number_at(recipe, path)
        return with_number(recipe, path, _number(path, text))
    return _with_parameter(recipe, step.name, parameter, lambda old: _meant(old, text, path))


def _meant(old: Value | None, text: str, path: str) -> Value:
    """Return what `text` means in the place of `old`, which may be missing."""
    if text in _FLAGS:
        return _FLAGS[text]
    if isinstance(old, str):
        return text
    if text.removeprefix("-").isdecimal() and not isinstance(old, Weight):
        return int(_number(path, text))
    if not isinstance(old, Weight | int) and not text.strip("+-.").replace(".", "")[:1].isdecimal():
        return text
    number = _number(path, text)
    return replace(old, value=number) if isinstance(old, Weight) else Weight(value=number)


def _number(path: str, text: str) -> float:
    numbers = values_of(text)
    if len(numbers) != 1:
        raise UsageError("recipe.no_number", where=path, value=text)
    return numbers[0]


def _with_parameter(
    recipe: Recipe, name: str, parameter: str, change: Callable[[Value | None], Value]
) -> Recipe:
    step = next(one for one in recipe.steps if one.name == name)
    new = change(step.parameters.get(parameter))
    return _with_step(recipe, replace(step, parameters={**step.parameters, parameter: new}))


def _with_step(recipe: Recipe, step: Step) -> Recipe:
    steps = tuple(step if one.name == step.name else one for one in recipe.steps)
    return replace(recipe, steps=steps)
