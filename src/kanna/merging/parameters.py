"""What a method is called with: the numbers of a step for one tensor, checked."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from typing import Any, TypeAlias

from kanna.errors import UsageError
from kanna.merging.method import Method, Parameter
from kanna.merging.recipe import Step, Weight

# What a method is called with.
Given: TypeAlias = dict[str, Any]


def parameters_of(method: Method, step: Step, number: Callable[[Weight], float]) -> Given:
    """Return what `method` is called with: what the step says, else its defaults.

    Raises:
        UsageError: a parameter is missing, unknown, of the wrong kind or out of its range.
    """
    known = {parameter.name for parameter in method.parameters}
    for name in step.parameters:
        if name not in known:
            raise UsageError("merge.no_such_parameter", method=method.name, parameter=name,
                             known=", ".join(sorted(known)) or "-")  # fmt: skip
    return {
        parameter.name: _value(method, parameter, step, number) for parameter in method.parameters
    }


def _value(
    method: Method, parameter: Parameter, step: Step, number: Callable[[Weight], float]
) -> object:
    given = step.parameters.get(parameter.name, parameter.default)
    if given is None and parameter.optional:
        return None
    if parameter.per_model:
        weights = given if isinstance(given, tuple) else (given,) * len(step.models)
        if len(weights) != len(step.models):
            raise UsageError("merge.wrong_count", method=method.name, parameter=parameter.name,
                             count=len(weights), models=len(step.models))  # fmt: skip
        return [_one(method, parameter, weight, number) for weight in weights]
    return _one(method, parameter, given, number)


def _one(
    method: Method, parameter: Parameter, given: object, number: Callable[[Weight], float]
) -> object:
    value = number(given) if isinstance(given, Weight) else given
    if value is None:
        raise UsageError("merge.parameter_missing", method=method.name, parameter=parameter.name)
    if not _right_kind(parameter, value):
        raise UsageError("merge.parameter_kind", method=method.name, parameter=parameter.name,
                         value=value, kind=parameter.kind,
                         words=", ".join(parameter.words) or "-")  # fmt: skip
    if isinstance(value, int | float) and not _within(parameter, value):
        raise UsageError("merge.parameter_range", method=method.name, parameter=parameter.name,
                         value=value, least=parameter.least, most=parameter.most)  # fmt: skip
    return value


def _within(parameter: Parameter, value: float) -> bool:
    least = -inf if parameter.least is None else parameter.least
    most = inf if parameter.most is None else parameter.most
    return least <= value <= most


def _right_kind(parameter: Parameter, value: object) -> bool:
    match parameter.kind:
        case "flag":
            return isinstance(value, bool)
        case "word":
            return value in parameter.words
        case "count":
            return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
