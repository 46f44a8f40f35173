"""Recipes that other programs wrote, as far as their methods exist here.

::

    metadata ─ kanna.recipe ─ sd_merge_recipe ─ mecha_recipe ─▶ Foreign
    text     ─ TOML, ``version 0.1.0``, JSON, YAML ──────────▶ Foreign

What they say is data of strangers: names of files lose their folders, so that nothing is opened
but what a user names, and every length is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from kanna.errors import UsageError
from kanna.merging import recipe_toml
from kanna.merging.foreign_a1111 import from_a1111
from kanna.merging.foreign_mecha import from_mecha
from kanna.merging.foreign_mergekit import from_mergekit
from kanna.merging.foreign_supermerger import from_supermerger
from kanna.merging.foreign_values import Read, without_folders
from kanna.merging.provenance import MERGE_MODELS, MERGE_RECIPE, RECIPE, parsed
from kanna.merging.recipe import Recipe
from kanna.model import Note

Program: TypeAlias = Literal["kanna", "a1111", "supermerger", "sd-mecha", "mergekit"]
MECHA: Final = "mecha_recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A recipe, the program that wrote it, and what of it could not be taken over."""

    recipe: Recipe
    program: Program
    notes: tuple[Note, ...] = ()


_Reader: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Read]
_JSON: Final[Mapping[str, tuple[Program, _Reader]]] = {
    "webui": ("a1111", from_a1111), "sd-webui-supermerger": ("supermerger", from_supermerger),
}  # fmt: skip


def in_metadata(metadata: Mapping[str, str]) -> Foreign | None:
    """Return the recipe that a model's metadata holds: kanna's own, else another program's.

    Raises:
        UsageError: it is broken, or of a kind that cannot be read.
    """
    if RECIPE in metadata:
        recipe = without_folders(recipe_toml.read(metadata[RECIPE]))
        return Foreign(recipe=recipe, program="kanna")
    if MERGE_RECIPE in metadata:
        models = parsed(metadata.get(MERGE_MODELS))
        return _in_json(parsed(metadata[MERGE_RECIPE]), models or {})
    if MECHA in metadata:
        return _as_foreign("sd-mecha", from_mecha(metadata[MECHA]), bare=True)
    return None


def in_text(text: str) -> Foreign:
    """Return the recipe that a user's file holds; the text itself shows who wrote it.

    Raises:
        UsageError: it is none that can be read.
    """
    if len(text) > recipe_toml.LONGEST:
        raise UsageError("recipe.too_long", limit=recipe_toml.LONGEST)
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("version "):
        return _as_foreign("sd-mecha", from_mecha(start))
    if start.startswith("{"):
        return _in_json(parsed(start), {})
    if _is_mergekit(start):
        return _as_foreign("mergekit", from_mergekit(start))
    return Foreign(recipe=recipe_toml.read(text), program="kanna")


def _is_mergekit(text: str) -> bool:
    keys = {line.partition(":")[0] for line in text.splitlines()}
    return bool(keys & {"merge_method", "slices", "base_model"})


def _in_json(merged: Mapping[str, Any] | None, models: Mapping[str, Any]) -> Foreign:
    """Read ``sd_merge_recipe``; `models` is ``sd_merge_models``, which knows the names."""
    if merged is None:
        raise UsageError("recipe.foreign_broken", program=MERGE_RECIPE)
    word = str(merged.get("type"))
    known = _JSON.get(word)
    if known is None:
        raise UsageError("recipe.foreign_type", type=word, known=", ".join(_JSON))
    program, reader = known
    return _as_foreign(program, reader(merged, models))


def _as_foreign(program: Program, read: Read, *, bare: bool = False) -> Foreign:
    recipe = without_folders(read.recipe) if bare else read.recipe
    return Foreign(recipe=recipe, program=program, notes=read.notes)
