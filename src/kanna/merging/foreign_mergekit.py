"""Configurations of mergekit, as far as they merge whole models with plain numbers.

Source: arcee-ai/mergekit docs/merge_methods.md and mergekit/config.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kanna.errors import UsageError
from kanna.formats.strict_yaml import parse_yaml
from kanna.merging.foreign_values import Read, number
from kanna.merging.recipe import Recipe, Source, Step, Value, Weight, Wish

_PROGRAM: Final = "mergekit"
_KEYS: Final = {"merge_method", "models", "base_model", "parameters", "dtype", "out_dtype"}
_DTYPES: Final = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
# its method -> ours, and what its parameters are called here; lists are for each model
_METHODS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "linear": ("weighted-sum", {"weight": "weights", "normalize": "normalize"}),
    "task_arithmetic": (
        "task-arithmetic", {"weight": "weights", "normalize": "normalize", "lambda": "scale"},
    ),
    "ties": (
        "ties",
        {"weight": "weights", "density": "density", "normalize": "normalize", "lambda": "scale"},
    ),
    "slerp": ("slerp", {"t": "alpha"}),
    "nearswap": ("nearswap", {"t": "t"}),
    "model_stock": ("model-stock", {"filter_wise": "rows"}),
    "sce": ("sce", {"select_topk": "select"}),
}  # fmt: skip
_PER_MODEL: Final = {
    "weight": 1.0,
    "density": 1.0,
}  # with what mergekit takes where nothing is said
_FIXED: Final[Mapping[str, Mapping[str, Value]]] = {"slerp": {"threshold": Weight(value=0.9995)}}
_TAKES_BASE: Final = ("slerp", "nearswap")  # its base is the first of the two models


def from_mergekit(text: str) -> Read:
    """Return the recipe that a configuration describes.

    Raises:
        UsageError: it has a method or a part that does not exist here.
        FormatError: it is no strict YAML.
    """
    given = parse_yaml(text, Path("mergekit.yml"))
    for key in given:
        if key not in _KEYS:
            raise UsageError("recipe.foreign_rule", program=_PROGRAM, where=key)
    method = str(given.get("merge_method"))
    if method not in _METHODS:
        raise UsageError("recipe.foreign_method", program=_PROGRAM, method=method,
                         where="merge_method")  # fmt: skip
    paths, base = _models(given, method)
    sources = {f"m{n}": Source(path=path) for n, path in enumerate(paths, 1)}
    names = {source.path: name for name, source in sources.items()}
    if base is not None and base not in names:
        sources["base"] = Source(path=base)
        names[base] = "base"
    step = Step(
        name="merge", method=_METHODS[method][0], models=tuple(names[path] for path in paths),
        base=None if base is None else names[base],
        parameters=dict(_parameters(given, method, paths)),
    )  # fmt: skip
    dtype = given.get("out_dtype") or given.get("dtype")
    return Read(recipe=Recipe(sources=sources, steps=(step,),
                              output=Wish(dtype=_DTYPES.get(str(dtype)))))  # fmt: skip


def _models(given: Mapping[str, Any], method: str) -> tuple[list[str], str | None]:
    """Return the paths of the models, and that of the base, which is not one of them then."""
    rows = [_row(one) for one in _list(given.get("models"), "models")]
    paths = [_path(row.get("model"), "models.model") for row in rows]
    base = given.get("base_model")
    base = None if base is None else _path(base, "base_model")
    others = [path for path in paths if path != base]
    if base is not None and method in _TAKES_BASE:
        return [base, *others], None
    return (paths if base is None else others), base


def _parameters(
    given: Mapping[str, Any], method: str, paths: list[str]
) -> Iterator[tuple[str, Value]]:
    whole = _row(given.get("parameters") or {})
    rows = [
        _row(row.get("parameters") or {})
        for row in map(_row, _list(given.get("models"), "models"))
        if row.get("model") in paths
    ]
    called = _METHODS[method][1]
    yield from _FIXED.get(method, {}).items()
    for key in dict.fromkeys([*whole, *(key for row in rows for key in row)]):
        if key not in called:
            raise UsageError("recipe.foreign_rule", program=_PROGRAM, where=f"parameters.{key}")
    for key, name in called.items():
        if key in _PER_MODEL:
            found = [row.get(key, whole.get(key, _PER_MODEL[key])) for row in rows]
            yield name, tuple(Weight(value=number(one, key)) for one in found)
        elif key in whole:
            value = whole[key]
            yield name, value if isinstance(value, bool) else Weight(value=number(value, key))


def _row(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("recipe.no_table", where="models", value=value)
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError("recipe.no_list", where=where, value=value)
    return value


def _path(value: object, where: str) -> str:
    if isinstance(value, dict):  # {model: {path: …}}
        value = value.get("path")
    if not isinstance(value, str) or not value or "\0" in value:
        raise UsageError("recipe.no_path", where=where)
    return value
