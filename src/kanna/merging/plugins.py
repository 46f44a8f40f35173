"""Merge methods of other packages: `method` makes one of a plain function.

::

    from typing import Annotated

    import torch

    from kanna.merging.plugins import Between, method

    @method(summary="Takes whichever is larger.", elementwise=True)
    def lift(
        a: torch.Tensor, b: torch.Tensor, *, alpha: Annotated[float, Between(0, 1)] = 0.5
    ) -> torch.Tensor:
        return torch.lerp(a, torch.maximum(a, b), alpha)

A package names it among its entry points::

    [project.entry-points."kanna.methods"]
    lift = "my_package.methods:lift"

Such a package is code that the user has installed, and kanna imports it with all the user's rights:
when methods are listed, or one is named that is none of its own. Model files and recipes can name
such a method; they bring no code. docs/methods-plugins.md tells more.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from kanna.merging.method import Method, Parameter, ParameterKind, Spoken
from kanna.messages import LANGUAGES

Function = TypeVar("Function", bound=Callable[..., Any])
Base = Literal["none", "required", "optional"]

MARK: Final = "__kanna_method__"
_KINDS: Final[Mapping[object, ParameterKind]] = {float: "number", int: "count", bool: "flag"}
# What kanna gives to a function of itself: the base of differences, and random numbers.
_OWN: Final = frozenset({"base", "generators"})


@dataclass(frozen=True, slots=True)
class Between:
    """The range of a parameter, both ends in it; None is no end."""

    least: float | None = None
    most: float | None = None


def method(
    *,
    name: str = "",
    title: str | Spoken = "",
    summary: str | Spoken = "",
    formula: str = "",
    sources: Sequence[str] = (),
    aliases: Sequence[str] = (),
    elementwise: bool = False,
    copies: tuple[int, int] = (1, 4),
) -> Callable[[Function], Function]:
    """Make a merge method of a function of torch tensors in fp32, which stays what it is.

    Its positional parameters are the models, ``*tensors`` any number from two on. ``base`` among
    its keyword-only ones is the model that differences are taken from, optional where it has a
    default; ``generators`` are seeded `torch.Generator`, one for each model. All others are what
    users set: ``float``, ``int``, ``bool`` or a ``Literal`` of words, or a ``Sequence[float]`` of
    one number for each model, whose default of one is for all; in `Annotated` stands `Between` and
    a text on what it is, or one in each language (``{"en": …, "ja": …}``).

    With `elementwise` the function may be called with runs of flat numbers, as they are read. Else
    it gets whole tensors and returns one of their shape; `copies` is how many times such a tensor
    it holds: for each model, and beside. The name is the function's, `summary` the first line of
    its docstring, unless they are given.

    Raises:
        TypeError: a parameter is of no such kind.
    """

    def decorate(function: Function) -> Function:
        taken = tuple(inspect.signature(function).parameters.values())
        word = name or function.__name__.replace("_", "-")
        made = Method(
            name=word,
            kind="elementwise" if elementwise else "tensor",
            function=f"{function.__module__}:{function.__qualname__}",
            models=_models(taken),
            base=_base(taken),
            parameters=tuple(_parameters(function, taken)),
            random=any(one.name == "generators" for one in taken),
            copies=copies,
            aliases=tuple(aliases),
            formula=formula,
            sources=tuple(sources),
            title=_spoken(title or word),
            summary=_spoken(summary or (inspect.getdoc(function) or "").partition("\n")[0]),
        )
        setattr(function, MARK, made)
        return function

    return decorate


def _models(taken: Sequence[inspect.Parameter]) -> int | None:
    if any(one.kind is one.VAR_POSITIONAL for one in taken):
        return None
    count = sum(one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} for one in taken)
    if not count:
        raise TypeError("a merge method takes models: positional parameters, or *tensors")
    return count


def _base(taken: Sequence[inspect.Parameter]) -> Base:
    for one in taken:
        if one.name == "base":
            return "required" if one.default is one.empty else "optional"
    return "none"


def _parameters(
    function: Callable[..., Any], taken: Sequence[inspect.Parameter]
) -> Iterator[Parameter]:
    """Yield what users set, each with the annotation that it has."""
    wanted = [one for one in taken if one.kind is one.KEYWORD_ONLY and one.name not in _OWN]
    # only these are evaluated: torch may be imported for the type checker alone
    said = SimpleNamespace(__annotations__={one.name: one.annotation for one in wanted})
    hints = get_type_hints(said, getattr(function, "__globals__", {}), include_extras=True)
    for one in wanted:
        yield _parameter(one, hints.get(one.name))


def _parameter(one: inspect.Parameter, hint: Any) -> Parameter:
    kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    range_ = next((extra for extra in extras if isinstance(extra, Between)), Between())
    text = next((extra for extra in extras if isinstance(extra, str | Mapping)), "")
    per_model = get_origin(kind) is not Literal and get_args(kind)[:1] == (float,)
    words = get_args(kind) if get_origin(kind) is Literal else ()
    word: ParameterKind | None = "word" if words else _KINDS.get(float if per_model else kind)
    if word is None:
        raise TypeError(f"{one.name}: {kind} is no kind of parameter")
    default = None if one.default is one.empty else one.default
    if per_model and isinstance(default, Sequence):
        (default,) = default
    return Parameter(
        name=one.name, kind=word, default=default, least=range_.least, most=range_.most,
        words=words, per_model=per_model, text=_spoken(text),
    )  # fmt: skip


def _spoken(text: str | Spoken) -> Spoken:
    """Return a text in every language; where one has none, the first one's stands."""
    given = {LANGUAGES[0]: text} if isinstance(text, str) else text
    first = next(iter(given.values()), "")
    return MappingProxyType({word: given.get(word, first) for word in LANGUAGES})
