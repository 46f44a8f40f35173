"""Recipes as people have them: in files, on stdin, inside of models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kanna.api.reading import StrPath
from kanna.disk import InputFile, as_path, is_remote
from kanna.errors import Incomplete, UsageError
from kanna.formats import open_model
from kanna.merging import recipe_toml
from kanna.merging.assigning import assigned
from kanna.merging.axes import swept
from kanna.merging.foreign import Foreign, Program, in_metadata, in_text
from kanna.merging.provenance import MERGE_MODELS, parsed
from kanna.merging.recipe import Recipe
from kanna.merging.recipe_check import check
from kanna.model import Note

TEXT_SUFFIXES: Final = frozenset({".toml", ".mecha", ".yaml", ".yml", ".json", ".txt"})
STDIN: Final = "-"
LONGEST: Final = 4 * recipe_toml.LONGEST  # bytes: so many can a character have


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecipe:
    """A recipe and where it was found.

    `path` is ``-`` for text from elsewhere; `folder` is where its relative paths begin. `program`
    wrote it; `notes` say what of it was lost, and what looks forgotten. `inside` says that it came
    out of a model, whose `ancestors` are the names of its forebears' files, by SHA-256.
    """

    recipe: Recipe
    path: str
    folder: Path
    program: Program
    inside: bool = False
    notes: tuple[Note, ...] = ()
    ancestors: Mapping[str, str] | None = None

    @property
    def text(self) -> str:
        """The recipe as TOML."""
        return recipe_toml.write(self.recipe)


def read_recipe(
    path: StrPath,
    *,
    text: str | bytes | None = None,
    settings: Sequence[str] = (),
    sweeps: Sequence[str] = (),
) -> FoundRecipe:
    """Return the recipe in a file: kanna's own, another program's, or that inside of a model.

    `text` is what stands there if `path` is ``-``; bytes are UTF-8. `settings` are
    ``STEP.PARAMETER=VALUE``, `sweeps` ``PARAMETER=FIRST:LAST:STEP``. Of a recipe inside of a model
    no folder is believed.

    Raises:
        UsageError: it cannot be read, or makes no sense.
        Incomplete: there is no such file, or a model without a recipe.
        KannaError: the model is broken.
    """
    if isinstance(text, bytes):
        text = _decoded(text, Path(path))
    found = _of_text(os.fspath(path), text) if text is not None else _of_file(as_path(path))
    recipe = swept(assigned(found.recipe, settings), sweeps)
    return replace(found, recipe=recipe, notes=(*found.notes, *check(recipe)))


def recipe_of(path: StrPath) -> FoundRecipe:
    """Return the recipe that a model carries, as it is written there.

    Raises:
        Incomplete: it carries none.
        KannaError: the model or its recipe is broken.
    """
    with open_model(path) as model:
        found = in_metadata(model.metadata)
        if found is None:
            raise Incomplete("recipe.none_inside", path=path)
        return replace(
            _found(found, as_path(path)), inside=True, ancestors=_ancestors(model.metadata)
        )


def _of_file(path: Path) -> FoundRecipe:
    if is_remote(path) or path.suffix.lower() not in TEXT_SUFFIXES:
        return recipe_of(path)
    file = InputFile(path)
    try:
        raw = file.read(0, min(file.size, LONGEST + 1))
    finally:
        file.close()
    return _of_text(str(path), _decoded(raw, path))


def _decoded(raw: bytes, path: Path) -> str:
    if len(raw) > LONGEST:
        raise UsageError("recipe.too_long", limit=recipe_toml.LONGEST)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("recipe.no_utf8", path=path, reason=error.reason) from None


def _of_text(path: str, text: str) -> FoundRecipe:
    return _found(in_text(text), Path(path))


def _found(foreign: Foreign, path: Path) -> FoundRecipe:
    folder = Path() if str(path) == STDIN or is_remote(path) else path.parent
    return FoundRecipe(recipe=foreign.recipe, path=str(path), folder=folder,
                       program=foreign.program, notes=foreign.notes)  # fmt: skip


def _ancestors(metadata: Mapping[str, str]) -> dict[str, str]:
    known = parsed(metadata.get(MERGE_MODELS)) or {}
    return {
        sha256: str(model.get("name")) for sha256, model in known.items() if isinstance(model, dict)
    }
