"""What `kanna merge` is asked for, as a recipe of one step."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_lowercase
from typing import Final

from kanna.api.reading import StrPath
from kanna.errors import UsageError
from kanna.merging.assigning import assigned
from kanna.merging.axes import swept
from kanna.merging.method import Method, Parameter
from kanna.merging.recipe import Compat, Recipe, Source, Step, Value, Weight, Wish
from kanna.merging.registry import method_called

STEP: Final = "mix"
_VAE: Final = "vae"
_HALF: Final = 0.5
# What the strength of a method is called, where it has one.
_STRENGTH: Final = ("alpha", "scale")


def merge_recipe(
    method: str,
    models: Sequence[StrPath],
    *,
    base: StrPath | None = None,
    alpha: float | None = None,
    weights: Sequence[float] = (),
    blocks: str = "",
    elements: Sequence[str] = (),
    settings: Sequence[str] = (),
    sweeps: Sequence[str] = (),
    block_methods: Mapping[str, str] | None = None,
    seed: int = 0,
    vae: str = "",
    compat: Compat | None = None,
    output: Wish | None = None,
) -> Recipe:
    """Return the recipe that applies one method to `models`, which it calls ``a``, ``b``, ``c`` ….

    Where the method needs a base and none is given, the last model is it, if the method takes a
    fixed number of them. `alpha`, `blocks` and `elements` are for the number that says how strong
    the method is, ``alpha`` or ``scale``; `weights` is a number for each model. `settings` are
    ``NAME=VALUE``, `sweeps` ``NAME=FIRST:LAST:STEP``. `vae` is a model's name, ``merge``, or a
    file.

    Raises:
        UsageError: the method does not take so many models, or has no such parameter.
    """
    known = method_called(method)
    _check_settings(settings, known, block_methods or {})
    files, base = _models(known, list(models), base)
    names = [_name(number) for number in range(len(files) + (base is not None))]
    sources = dict(zip(names, [*files, *([base] if base is not None else [])], strict=True))
    chosen = _vae(vae, sources)
    step = Step(
        name=STEP, method=known.name, models=tuple(names[: len(files)]),
        base=names[-1] if base is not None else None, seed=seed,
        parameters=_parameters(known, alpha, weights, blocks, elements, sweeps),
        block_methods=dict(block_methods or {}),
    )  # fmt: skip
    recipe = Recipe(
        sources={name: Source(path=os.fspath(path)) for name, path in sources.items()},
        steps=(step,), output=replace(output or Wish(), vae=chosen), compat=compat,
    )  # fmt: skip
    return swept(assigned(recipe, [f"{STEP}.{one}" for one in settings]), sweeps)


def _check_settings(
    settings: Sequence[str], method: Method, block_methods: Mapping[str, str]
) -> None:
    """Hold the names of settings to the parameters of the methods.

    Raises:
        UsageError: there is no such parameter, or a setting has no value.
    """
    every = [method, *map(method_called, block_methods.values())]
    known = list(dict.fromkeys(one.name for each in every for one in each.parameters))
    for setting in settings:
        name, sign, _ = setting.partition("=")
        if not sign:
            raise UsageError("merge.bad_setting", given=setting, example=(known or ["alpha"])[0])
        if name.strip().partition(".")[0].partition("[")[0] not in known:
            raise UsageError("merge.no_such_parameter", method=method.name,
                             parameter=name.strip(), known=", ".join(known) or "-")  # fmt: skip


def _models(
    method: Method, models: list[StrPath], base: StrPath | None
) -> tuple[list[StrPath], StrPath | None]:
    """Return the models and the base.

    Raises:
        UsageError: there are too few or too many.
    """
    count = method.models
    if base is None and method.base != "none" and count is not None and len(models) == count + 1:
        base = models.pop()
    if base is None and method.base == "required":
        raise UsageError("merge.needs_base", method=method.name)
    if base is not None and method.base == "none":
        raise UsageError("merge.takes_no_base", method=method.name)
    if count is None and len(models) < 2:
        raise UsageError("merge.one_model", method=method.name)
    if count is not None and len(models) != count:
        raise UsageError("merge.model_count", method=method.name, count=len(models), wanted=count)
    return models, base


def _name(number: int) -> str:
    return ascii_lowercase[number] if number < len(ascii_lowercase) else f"m{number + 1}"


def _vae(wanted: str, sources: dict[str, StrPath]) -> str:
    """Return the name of the source whose VAE is wanted, which becomes one if it is a file."""
    if wanted.lower() in {"", "merge", *sources}:
        return wanted.lower()
    sources[_VAE] = wanted
    return _VAE


def _parameters(
    method: Method,
    alpha: float | None,
    weights: Sequence[float],
    blocks: str,
    elements: Sequence[str],
    sweeps: Sequence[str],
) -> dict[str, Value]:
    given: dict[str, Value] = {}
    if alpha is not None or blocks or elements:
        main = _main(method)
        value = alpha if alpha is not None else _usual(main)
        given[main.name] = Weight(value=value, blocks=blocks, elements=tuple(elements))
    if weights:
        each = _numbers(method, "--weights", per_model=True)[0]
        given[each.name] = tuple(Weight(value=weight) for weight in weights)
    swept_names = {one.partition("=")[0].strip() for one in sweeps}
    for parameter in method.parameters:
        if parameter.name in swept_names - set(given):
            given[parameter.name] = Weight(value=_usual(parameter))
    return given


def _main(method: Method) -> Parameter:
    """Return the number that says how strong a method is."""
    numbers = _numbers(method, "--alpha", per_model=False)
    return next((one for word in _STRENGTH for one in numbers if one.name == word), numbers[0])


def _numbers(method: Method, option: str, *, per_model: bool) -> list[Parameter]:
    """Return the numbers that an option can be for, at least one.

    Raises:
        UsageError: the method has none.
    """
    every = [one for one in method.parameters if one.kind == "number"]
    found = [one for one in every if one.per_model is per_model]
    if not found:
        known = ", ".join(parameter.name for parameter in method.parameters) or "-"
        raise UsageError("merge.not_for_method", method=method.name, option=option, known=known)
    return found


def _usual(parameter: Parameter) -> float:
    usual = parameter.default
    return float(usual) if isinstance(usual, int | float) else _HALF
