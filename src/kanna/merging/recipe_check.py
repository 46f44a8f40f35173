"""Whether a recipe makes sense, before any file is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import prod
from typing import Final, get_args

from kanna.dtypes import TARGETS
from kanna.errors import UsageError
from kanna.merging.method import Method
from kanna.merging.parameters import parameters_of
from kanna.merging.recipe import Recipe, Step, Weight, Wish
from kanna.merging.recipe_fields import no_such_key
from kanna.merging.recipe_toml import STEP_KEYS
from kanna.merging.registry import method_called
from kanna.model import Note
from kanna.plan import WriteContainer

MOST_OUTPUTS: Final = 1000
_MOST_STEPS: Final = 256
_MOST_SOURCES: Final = 256
# Steps of steps: each is a few calls deep when tensors are put together, and one that two others
# use may be computed twice.
_DEEPEST: Final = 64
_MOST_WORK: Final = 4096
_LORA_KEYS: Final = ("weights", "te_weights", "skip_unknown")
_ROLES: Final = ("diffusion_model", "text_encoder", "vae", "ema")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "container": get_args(WriteContainer), "dtype": TARGETS,
    "ema": ("drop", "keep"), "position_ids": ("repair", "truncate", "keep", "drop"),
    "missing": ("keep", "refuse"),
}  # fmt: skip


def check(recipe: Recipe) -> tuple[Note, ...]:
    """Refuse a recipe that cannot be meant so; return notes on what looks forgotten.

    Raises:
        UsageError: a name is missing or there twice, a method gets what it does not take, or there
            is too much of something.
    """
    if not recipe.steps:
        raise UsageError("recipe.no_steps")
    if len(recipe.steps) > _MOST_STEPS or len(recipe.sources) > _MOST_SOURCES:
        raise UsageError("recipe.too_many", steps=_MOST_STEPS, models=_MOST_SOURCES)
    depth, work = dict.fromkeys(recipe.sources, 0), dict.fromkeys(recipe.sources, 1)
    for step in recipe.steps:
        _check_inputs(recipe, step, depth)
        depth[step.name] = 1 + max((depth[name] for name in step.inputs), default=0)
        work[step.name] = 1 + sum(work[name] for name in step.inputs)
        if depth[step.name] > _DEEPEST or work[step.name] > _MOST_WORK:
            raise UsageError("recipe.too_deep", step=step.name, most=_DEEPEST)
        _check_step(step, recipe)
    _check_wish(recipe.output, recipe)
    _check_axes(recipe)
    return tuple(_forgotten(recipe))


def _check_inputs(recipe: Recipe, step: Step, known: Mapping[str, int]) -> None:
    """Refuse a step whose inputs are not all `known` by then, or whose name is."""
    if step.name in known:
        raise UsageError("recipe.name_twice", name=step.name)
    for name in step.inputs:
        if name not in known:
            later = any(other.name == name for other in recipe.steps)
            if later:
                raise UsageError("recipe.later_step", step=step.name, name=name)
            raise UsageError("recipe.no_such_model", step=step.name, name=name,
                             known=", ".join(known) or "-")  # fmt: skip


def _check_step(step: Step, recipe: Recipe) -> None:
    if step.method == "lora":
        _check_loras(step, recipe)
        return
    method = method_called(step.method)
    _check_fit(step, method)
    _check_parameters(step, method)
    for word in step.block_methods.values():
        _check_fit(step, method_called(word))


def _check_fit(step: Step, method: Method) -> None:
    """Refuse models that the method does not take, or a base that it lacks or has no use for."""
    wanted, count = method.models, len(step.models)
    if (count < 2) if wanted is None else (count != wanted):
        raise UsageError("recipe.model_count", step=step.name, method=method.name, count=count,
                         wanted="2+" if wanted is None else wanted)  # fmt: skip
    if method.base == "required" and step.base is None:
        raise UsageError("recipe.base_missing", step=step.name, method=method.name)
    if method.base == "none" and step.base is not None:
        raise UsageError("recipe.base_unused", step=step.name, method=method.name)


def _check_parameters(step: Step, method: Method) -> None:
    known = [parameter.name for parameter in method.parameters]
    for name in step.parameters:
        if name not in known:
            raise no_such_key(f"{step.name}.{name}", name, [*known, *STEP_KEYS])
    parameters_of(method, step, lambda weight: weight.value)


def _check_loras(step: Step, recipe: Recipe) -> None:
    """A model, LoRAs that are files, and a number for each of them; another for encoders."""
    loras = step.models[1:]
    if step.base is not None:
        raise UsageError("recipe.base_unused", step=step.name, method="lora")
    for word in ("weights", *(["te_weights"] if "te_weights" in step.parameters else [])):
        weights = step.parameters.get(word)
        if not loras or not isinstance(weights, tuple) or len(weights) != len(loras):
            raise UsageError("recipe.lora_weights", step=step.name)
    for name in loras:
        if name not in recipe.sources:
            raise UsageError("recipe.lora_no_file", step=step.name, name=name)
    for name in step.parameters:
        if name not in _LORA_KEYS:
            raise no_such_key(f"{step.name}.{name}", name, [*_LORA_KEYS, *STEP_KEYS])


def _check_wish(wish: Wish, recipe: Recipe) -> None:
    steps = [step.name for step in recipe.steps]
    if wish.step and wish.step not in steps:
        raise UsageError("recipe.no_such_step", name=wish.step, known=", ".join(steps))
    if wish.ema == "use":  # which would undo the merge
        raise UsageError("merge.ema_word", word=wish.ema)
    for key, words in _WORDS.items():
        _check_word(f"output.{key}", getattr(wish, key), words)
    for role, dtype in wish.dtypes.items():
        if role not in _ROLES:
            raise no_such_key(f"output.dtypes.{role}", role, _ROLES)
        _check_word(f"output.dtypes.{role}", dtype, TARGETS)
    if wish.vae not in {"", "a", "merge", *recipe.sources}:
        raise UsageError("recipe.no_such_vae", name=wish.vae, known=", ".join(recipe.sources))


def _check_word(where: str, word: str | None, known: tuple[str, ...]) -> None:
    if word is not None and word not in known:
        near = get_close_matches(word, known, n=1)
        raise UsageError("recipe.no_such_word", where=where, value=word,
                         known=", ".join(near or known))  # fmt: skip


def _check_axes(recipe: Recipe) -> None:
    outputs = prod(len(axis) for axis in recipe.axes.values())
    if not 1 <= outputs <= MOST_OUTPUTS:
        raise UsageError("recipe.too_many_outputs", count=outputs, most=MOST_OUTPUTS)
    for path in recipe.axes:
        number_at(recipe, path)


def number_at(recipe: Recipe, path: str) -> float:
    """Return the number that ``STEP.PARAMETER`` stands for, or ``STEP.PARAMETER.2`` in a list.

    Raises:
        UsageError: there is no such number.
    """
    name, _, rest = path.partition(".")
    parameter, _, place = rest.partition(".")
    step = next((one for one in recipe.steps if one.name == name), None)
    value = step.parameters.get(parameter) if step else None
    if isinstance(value, tuple) and place.isdecimal() and 1 <= int(place) <= len(value):
        value, place = value[int(place) - 1], ""
    if isinstance(value, Weight) and not place:
        return value.value
    if isinstance(value, int) and not isinstance(value, bool) and not place:
        return value
    raise UsageError("recipe.no_such_number", path=path, known=", ".join(_numbers(recipe)) or "-")


def _numbers(recipe: Recipe) -> Iterator[str]:
    """Yield the paths of all numbers."""
    for step in recipe.steps:
        for parameter, value in step.parameters.items():
            if isinstance(value, tuple):
                yield from (f"{step.name}.{parameter}.{n}" for n in range(1, len(value) + 1))
            elif isinstance(value, Weight | int) and not isinstance(value, bool):
                yield f"{step.name}.{parameter}"


def _forgotten(recipe: Recipe) -> Iterator[Note]:
    used = {name for step in recipe.steps for name in step.inputs}
    last = recipe.output.step or recipe.steps[-1].name
    for name in recipe.sources:
        if name not in {*used, recipe.output.vae}:
            yield Note("recipe.unused_model", {"name": name})
    for step in recipe.steps:
        if step.name not in {*used, last}:
            yield Note("recipe.unused_step", {"name": step.name})
