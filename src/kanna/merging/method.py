"""Method: what a merge method needs and takes, as rows of tables and of plug-ins."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

_HERE: Final = Path(__file__).parent / "methods"

# A text by language.
Spoken: TypeAlias = Mapping[str, str]
Kind = Literal["linear", "elementwise", "tensor"]
ParameterKind = Literal["number", "count", "flag", "word"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameter:
    """One parameter of a method.

    A ``number`` lies between `least` and `most` and may differ from block to block; with
    `per_model` there is one for each model. `default` is None where it must be given, or, with
    `optional`, where the function gets None for what is not.
    """

    name: str
    kind: ParameterKind = "number"
    default: float | int | bool | str | None = None
    least: float | None = None
    most: float | None = None
    words: tuple[str, ...] = ()
    per_model: bool = False
    optional: bool = False
    text: Spoken = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Method:
    """One way of merging.

    `kind` says how it is computed. ``linear``: `function` gives the models' weights for the
    parameters, ``function(count, **parameters) -> Sequence[float]``, that of the base last, and the
    kernel sums; with `placed` it is given the tensor's ``place`` (`kanna.families.blocks`), too,
    and returns these weights and what is added: nothing, or a number for each of the tensor's.
    ``elementwise``: ``function(*tensors, base=…, **parameters)`` makes each number of
    those at the same place, so that it may be called with runs of them, flat. ``tensor``: it is
    called with whole tensors in their shapes. Both get and return torch tensors in fp32; `base` is
    given where the method has one.

    `models` is how many models it merges, None for two or more; `base` whether differences are
    taken from one more. With `random` the function gets ``generators``, one for each model, seeded
    by the step's seed, the model's number and the tensor's name. `measure` is a function that is
    called with the same tensors of all merged weights first (not those of VAEs), as
    ``measure(*tensors, base=…, **parameters) -> Any``; the list of what it returned comes back as
    ``measured``, in the order of the tensors, or what `conclude` makes of this list, once. Tensors
    with one of the words of `spares` in their names stay as they are in the first model. `copies`
    is how many times the tensor in fp32 is held at the peak: so many for each model, and so many
    beside. `formula_of_many` is the formula of more than two models, or of ``weights``, where that
    is another one.
    """

    name: str
    kind: Kind
    function: str
    models: int | None = 2
    base: Literal["none", "required", "optional"] = "none"
    parameters: tuple[Parameter, ...] = ()
    placed: bool = False
    random: bool = False
    measure: str | None = None
    conclude: str | None = None
    spares: tuple[str, ...] = ()
    copies: tuple[int, int] = (1, 2)
    aliases: tuple[str, ...] = ()
    formula: str = ""
    formula_of_many: str = ""
    sources: tuple[str, ...] = ()
    title: Spoken = field(default_factory=lambda: MappingProxyType({}))
    summary: Spoken = field(default_factory=lambda: MappingProxyType({}))

    def call(self) -> Any:
        """Return the function itself."""
        return _loaded(self.function)

    def call_measure(self) -> Any:
        """Return the function that measures, or None."""
        return _loaded(self.measure) if self.measure else None

    def call_conclude(self) -> Any:
        """Return the function that makes one of all that was measured, or None."""
        return _loaded(self.conclude) if self.conclude else None


def _loaded(address: str) -> Any:
    module, _, name = address.partition(":")
    return getattr(import_module(module), name)


@cache
def built_in() -> Mapping[str, Method]:
    """Return the methods that kanna has, by name, in the order of their tables."""
    rows = (row for path in sorted(_HERE.glob("*.toml")) for row in _rows(path))
    return MappingProxyType({row["name"]: _method(row) for row in rows})


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["method"]
    return rows


def _method(row: Mapping[str, Any]) -> Method:
    given = dict(row)
    parameters = tuple(
        Parameter(**{**one, "words": tuple(one.get("words", ()))})
        for one in given.pop("parameter", ())
    )
    models = given.pop("models", 2)
    for key in ("aliases", "sources", "copies", "spares"):
        if key in given:
            given[key] = tuple(given[key])
    return Method(parameters=parameters, models=None if models == "any" else models, **given)
