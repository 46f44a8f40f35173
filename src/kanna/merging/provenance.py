"""What an output says of how it was made, so that it can be made again.

``kanna.recipe`` is the whole recipe, with every file by its SHA-256 and its name without folders.
Beside it stands what A1111 writes, for the programs that show it: ``sd_merge_recipe``, and
``sd_merge_models``, which carries the recipes of the models that were merged. Nothing in them
depends on the output's name or on where the files lay. Source of the two: AUTOMATIC1111
modules/extras.py (run_modelmerger, 1.4 and later).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PureWindowsPath
from types import MappingProxyType
from typing import Any, Final

from kanna.merging import recipe_toml
from kanna.merging.recipe import Recipe, Source, Step, Weight

RECIPE: Final = "kanna.recipe"
MERGE_RECIPE: Final = "sd_merge_recipe"
MERGE_MODELS: Final = "sd_merge_models"
# What is said of ancestors stays small beside the model: a header is read whole by everybody.
_MOST_ANCESTORS: Final = 256
_LONGEST_ANCESTOR: Final = 1 << 16
_LONGEST: Final = 1 << 20
_LONGEST_FIELD: Final = 1 << 23
_DEEPEST: Final = 32  # A1111 writes three levels; what is written again must not end the stack
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_IN_A1111: Final = {
    "weighted-sum": "Weighted sum", "add-difference": "Add difference", "copy": "No interpolation",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A file that was read: its digests, where they are known, and its own metadata.

    `name` is that of the file; `legacy_hash` is AutoV1, eight digits.
    """

    name: str
    sha256: str | None = None
    legacy_hash: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def fields(
    recipe: Recipe,
    origins: Mapping[str, Origin],
    *,
    inpainting: bool = False,
    instruct_pix2pix: bool = False,
) -> dict[str, str]:
    """Return the fields that tell of `recipe`, whose sources were `origins`.

    `inpainting` and `instruct_pix2pix` say that a model with 9 or 8 input channels led one with 4.
    """
    told = portable(recipe, origins)
    return {
        RECIPE: recipe_toml.write(told),
        MERGE_RECIPE: _dumped(
            _merge_recipe(told, inpainting=inpainting, instruct_pix2pix=instruct_pix2pix)
        ),
        MERGE_MODELS: _dumped(_merge_models(told, origins)),
    }


def portable(recipe: Recipe, origins: Mapping[str, Origin]) -> Recipe:
    """Return `recipe` as it is written into the output: without paths, with every digest known.

    A name that the recipe itself gives outlives another one of the same file, so that what is made
    again from renamed files is the same, byte for byte.
    """
    sources = {name: _told(source, origins[name]) for name, source in recipe.sources.items()}
    output = replace(recipe.output, path=None)
    return replace(recipe, sources=sources, output=output, axes=MappingProxyType({}))


def base_name(path: str) -> str:
    """Return the last part of a path of any system, without control characters."""
    name = _CONTROL.sub("", PureWindowsPath(path).name)
    return name if name.strip(".") else "model"


def told_name(source: Source, name: str) -> str:
    """Return what a file is called in an output: as the recipe has it, else its own `name`."""
    return base_name(source.path or name)


def _told(source: Source, origin: Origin) -> Source:
    return Source(path=told_name(source, origin.name), sha256=origin.sha256 or source.sha256)


def _merge_recipe(told: Recipe, *, inpainting: bool, instruct_pix2pix: bool) -> dict[str, object]:
    """Return a recipe in A1111's terms: that of the last step, of the first three models."""
    last = _last_step(told)
    digests = [told.sources[name].sha256 for name in _in_order(told)]
    first, second, third = (*digests, None, None, None)[:3]
    alpha = last.parameters.get("alpha")
    vae = told.sources.get(told.output.vae)
    return {
        "type": "kanna",
        "primary_model_hash": first, "secondary_model_hash": second, "tertiary_model_hash": third,
        "interp_method": _IN_A1111.get(last.method, last.method),
        "multiplier": alpha.value if isinstance(alpha, Weight) else alpha,
        "save_as_half": told.output.dtype == "fp16",
        "custom_name": "", "config_source": None,
        "bake_in_vae": vae.path if vae else "None", "discard_weights": "",
        "is_inpainting": inpainting, "is_instruct_pix2pix": instruct_pix2pix,
    }  # fmt: skip


def _last_step(recipe: Recipe) -> Step:
    wanted = recipe.output.step
    return next((step for step in recipe.steps if step.name == wanted), recipe.steps[-1])


def _in_order(recipe: Recipe) -> list[str]:
    """Return the names of the sources that steps use, in the order in which they do."""
    used = (name for step in recipe.steps for name in step.inputs)
    return [name for name in dict.fromkeys(used) if name in recipe.sources]


def _merge_models(told: Recipe, origins: Mapping[str, Origin]) -> dict[str, object]:
    found: dict[str, object] = {}
    room = _LONGEST
    for name, source in told.sources.items():
        if source.sha256 is not None:
            origin = origins[name]
            own = _own(origin.metadata)
            room -= len(_dumped(own))
            own = own if room > 0 else {MERGE_RECIPE: None}
            found[source.sha256] = {
                "name": source.path, "legacy_hash": origin.legacy_hash, **own,
            }  # fmt: skip
    for sha256, model in _ancestors(origins):
        if sha256 not in found and len(found) < _MOST_ANCESTORS:
            room -= len(_dumped(model))
            if room > 0:
                found[sha256] = model
    return dict(sorted(found.items()))


def _own(metadata: Mapping[str, str]) -> dict[str, object]:
    """Return what a model says of how it was made itself."""
    merged = parsed(metadata.get(MERGE_RECIPE))
    own: dict[str, object] = {MERGE_RECIPE: merged if _is_short(merged) else None}
    if _is_short(text := metadata.get(RECIPE)):
        own[RECIPE] = text
    return own


def _ancestors(origins: Mapping[str, Origin]) -> Iterator[tuple[str, object]]:
    """Yield what the merged models know of the models that they were made of."""
    for name in sorted(origins):
        models = parsed(origins[name].metadata.get(MERGE_MODELS)) or {}
        for sha256, model in models.items():
            if isinstance(model, dict) and len(sha256) == 64 and _is_short(model):
                yield sha256, model


def _is_short(value: object) -> bool:
    return value is not None and len(_dumped(value)) <= _LONGEST_ANCESTOR


def parsed(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object that a field holds, or None where it holds none, or an endless one."""
    if text is not None and len(text) > _LONGEST_FIELD:
        return None
    try:
        value = json.loads(text or "null", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not _is_deep(value) else None


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one
                 for one in level if isinstance(one, dict | list)]  # fmt: skip
        level = [each for one in inner for each in one]
    return bool(level)


def _refuse(word: str) -> None:
    raise ValueError(word)


def _dumped(value: object) -> str:
    return json.dumps(value, separators=(", ", ": "))
