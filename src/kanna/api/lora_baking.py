"""LoRAs baked into a model: a merge of one step."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from kanna.api.merge_sources import Report
from kanna.api.merging import Merging, merge
from kanna.api.reading import StrPath
from kanna.engine import RunOptions
from kanna.errors import UsageError
from kanna.merging.recipe import Recipe, Source, Step, Value, Weight, Wish

_MODEL: Final = "model"
_STEP: Final = "baked"
_VAE: Final = "vae"
_Given = TypeVar("_Given", float, str)


def lora_bake(
    model: StrPath,
    loras: Sequence[StrPath],
    destination: StrPath,
    *,
    weights: Sequence[float] = (),
    te_weights: Sequence[float] = (),
    blocks: Sequence[str] = (),
    elements: Sequence[str] = (),
    skip_unknown: bool = False,
    vae: StrPath | None = None,
    output: Wish | None = None,
    hash_inputs: bool = True,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Report | None = None,
    hash_progress: Report | None = None,
    cancel: threading.Event | None = None,
) -> Merging:
    """Bake `loras` into `model`, one after the other; see `lora_recipe` and `kanna.api.merge`.

    Raises:
        KannaError: whatever is wrong with the files, the request or the destination.
    """
    recipe = lora_recipe(
        model, loras, weights=weights, te_weights=te_weights, blocks=blocks, elements=elements,
        skip_unknown=skip_unknown, vae=vae, output=output,
    )  # fmt: skip
    return merge(
        recipe, destination, hash_inputs=hash_inputs, dry_run=dry_run, run_options=run_options,
        progress=progress, hash_progress=hash_progress, cancel=cancel,
    )  # fmt: skip


def lora_recipe(
    model: StrPath,
    loras: Sequence[StrPath],
    *,
    weights: Sequence[float] = (),
    te_weights: Sequence[float] = (),
    blocks: Sequence[str] = (),
    elements: Sequence[str] = (),
    skip_unknown: bool = False,
    vae: StrPath | None = None,
    output: Wish | None = None,
) -> Recipe:
    """Return the recipe that bakes `loras` into `model`, at these strengths, else at 1.

    One number counts for all, else there is one for each; so it is with `blocks`, whose numbers
    stand in the place of a strength. `te_weights` are for text encoders, whole. With `skip_unknown`
    tensors and layers that have no place in the model are left out. `vae` is a file whose VAE
    becomes the output's.

    Raises:
        UsageError: there are no LoRAs, or not as many numbers.
    """
    if not loras:
        raise UsageError("lora_bake.no_loras")
    count = len(loras)
    strengths = _each("--weights", weights or (1.0,), count)
    by_block = _each("--blocks", blocks or ("",), count)
    parameters: dict[str, Value] = {
        "weights": tuple(
            Weight(value=value, blocks=one, elements=tuple(elements))
            for value, one in zip(strengths, by_block, strict=True)
        )
    }
    if te_weights:
        own = _each("--te-weights", te_weights, count)
        parameters["te_weights"] = tuple(Weight(value=value) for value in own)
    if skip_unknown:
        parameters["skip_unknown"] = True
    names = tuple(f"lora{number}" for number in range(1, count + 1))
    step = Step(name=_STEP, method="lora", models=(_MODEL, *names), parameters=parameters)
    paths = dict(zip((_MODEL, *names), (model, *loras), strict=True))
    wish = output or Wish()
    if vae is not None:
        paths[_VAE], wish = vae, replace(wish, vae=_VAE)
    sources = {name: Source(path=os.fspath(path)) for name, path in paths.items()}
    return Recipe(sources=sources, steps=(step,), output=wish)


def _each(option: str, given: Sequence[_Given], count: int) -> tuple[_Given, ...]:
    """Return one of `given` for each of so many LoRAs.

    Raises:
        UsageError: there are more of them, or fewer.
    """
    if len(given) not in {1, count}:
        raise UsageError("lora_bake.wrong_count", option=option, given=len(given), count=count)
    return tuple(given) if len(given) == count else tuple(given) * count
