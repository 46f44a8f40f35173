"""Recipes of A1111's checkpoint merger, which Forge shares.

Source: AUTOMATIC1111/stable-diffusion-webui modules/extras.py (run_modelmerger), which writes
``sd_merge_recipe`` of the type ``webui`` and ``sd_merge_models``. It rounds every product as the
tensors are stored, so the recipe gets ``compat = "a1111"``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kanna.errors import UsageError
from kanna.merging.foreign_values import Read, hashed_source, number
from kanna.merging.provenance import base_name
from kanna.merging.recipe import Recipe, Source, Step, Weight, Wish
from kanna.model import Note

_HASHES: Final = {
    "a": "primary_model_hash", "b": "secondary_model_hash", "c": "tertiary_model_hash",
}  # fmt: skip
# interp_method -> method, models, base
_METHODS: Final[Mapping[str, tuple[str, tuple[str, ...], str | None]]] = {
    "Weighted sum": ("weighted-sum", ("a", "b"), None),
    "Add difference": ("add-difference", ("a", "b"), "c"),
    "No interpolation": ("copy", ("a",), None),
}


def from_a1111(merged: Mapping[str, Any], models: Mapping[str, Any]) -> Read:
    """Return the recipe of one merge.

    Raises:
        UsageError: a digest or a number is missing, or its method is none that A1111 had.
    """
    word = str(merged.get("interp_method"))
    if word not in _METHODS:
        raise UsageError("recipe.foreign_method", program="A1111", method=word,
                         where="interp_method")  # fmt: skip
    method, names, base = _METHODS[word]
    used = (*names, *((base,) if base else ()))
    sources = {n: hashed_source(merged.get(_HASHES[n]), models, _HASHES[n]) for n in used}
    parameters = {}
    if method != "copy":
        parameters["alpha"] = Weight(value=number(merged.get("multiplier"), "multiplier"))
    vae = merged.get("bake_in_vae")
    if isinstance(vae, str) and vae not in {"", "None"}:
        sources["vae"] = Source(path=base_name(vae))
    step = Step(name="merge", method=method, models=names, base=base, parameters=parameters)
    wish = Wish(dtype="fp16" if merged.get("save_as_half") else None,
                vae="vae" if "vae" in sources else "")  # fmt: skip
    recipe = Recipe(sources=sources, steps=(step,), output=wish,
                    compat=None if method == "copy" else "a1111")  # fmt: skip
    return Read(recipe=recipe, notes=tuple(_lost(merged, sources)))


def _lost(merged: Mapping[str, Any], sources: Mapping[str, Source]) -> Iterator[Note]:
    if merged.get("discard_weights"):
        yield Note("recipe.foreign_discard", {"pattern": merged["discard_weights"]})
    if "vae" in sources:
        yield Note("recipe.foreign_vae", {"name": sources["vae"].path})
