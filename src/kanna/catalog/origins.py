"""What a model says it was made of: merged models, LoRAs, the VAE, the model it was trained on.

All of it is text of strangers; names lose their folders. Sources: kanna.merging.provenance
(kanna's recipes, A1111's ``sd_merge_models``); kohya-ss/sd-scripts train_util.py (``ss_*``);
Stability-AI/ModelSpec (``modelspec.merged_from``); AUTOMATIC1111
modules/textual_inversion/textual_inversion.py (``sd_checkpoint``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from kanna.catalog.rows import OriginRow
from kanna.errors import KannaError
from kanna.merging import recipe_toml
from kanna.merging.provenance import MERGE_MODELS, MERGE_RECIPE, RECIPE, base_name, parsed
from kanna.merging.recipe import Recipe
from kanna.metadata.history import history

_MOST: Final = 64
_LONGEST: Final = 512
_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{8,64})")
_NOTHING: Final = {"", "None", "none", "null"}
# Fields that name one model: its name, and its digests, the one that says most first.
_NAMED: Final = (
    ("trained_on", "ss_sd_model_name", ("ss_new_sd_model_hash", "ss_sd_model_hash")),
    ("vae_of", "ss_vae_name", ("ss_new_vae_hash", "ss_vae_hash")),
)
_PRIMARY: Final = ("primary_model_hash", "secondary_model_hash", "tertiary_model_hash")


def origins_of(metadata: Mapping[str, str], extras: Mapping[str, object]) -> tuple[OriginRow, ...]:
    """Return what a model was made of, as its metadata say, each once.

    `extras` is what a checkpoint holds beside its tensors.
    """
    found: list[OriginRow] = []
    for source in (_of_recipe(metadata), _of_history(metadata), _of_training(metadata),
                   _of_embedding(extras)):  # fmt: skip
        found += source
    return tuple(dict.fromkeys(found))[:_MOST]


def _of_recipe(metadata: Mapping[str, str]) -> Iterator[OriginRow]:
    if RECIPE in metadata:
        try:
            yield from _sources(recipe_toml.read(metadata[RECIPE]))
        except KannaError:  # a stranger's text
            return
        return
    models = parsed(metadata.get(MERGE_MODELS)) or {}
    merged = parsed(metadata.get(MERGE_RECIPE)) or {}
    digests = [d for key in _PRIMARY if isinstance(d := merged.get(key), str)] or list(models)
    for digest in digests:
        model = models.get(digest)
        named = model.get("name") if isinstance(model, dict) else None
        yield from _row("merged_from", named, digest)
    for name in metadata.get("modelspec.merged_from", "").split(","):
        yield from _row("merged_from", name.strip(), None)


def _sources(recipe: Recipe) -> Iterator[OriginRow]:
    """Yield the files of a recipe: models, LoRAs, the file that the VAE is taken of."""
    loras = {name for step in recipe.steps for name in step.loras}
    models = {name for step in recipe.steps for name in step.inputs} - loras
    for name, source in recipe.sources.items():
        for relation, these in (("merged_from", models), ("lora_of", loras),
                                ("vae_of", {recipe.output.vae})):  # fmt: skip
            if name in these:
                yield from _row(relation, source.path, source.sha256)


def _of_history(metadata: Mapping[str, str]) -> Iterator[OriginRow]:
    """Yield the inputs of what kanna did; of a merge its recipe tells more."""
    for step in history(metadata):
        if not isinstance(step, dict) or step.get("verb") == "merge":
            continue
        for key in ("input", "inputs", "tuned", "base"):
            for name, digest in _files(step.get(key)):
                yield from _row("made_from", name, digest)
        baked = step.get("vae")
        if isinstance(baked, dict):
            yield from _row("vae_of", baked.get("source"), None)


def _files(value: object) -> Iterator[tuple[object, object]]:
    """Yield the names and digests of files, in whatever form a step records them."""
    if isinstance(value, str):
        yield value, None
    elif isinstance(value, dict):
        if "name" in value or "sha256" in value:
            yield value.get("name"), value.get("sha256")
        else:
            yield from (pair for one in value.values() for pair in _files(one))
    elif isinstance(value, list):
        yield from (pair for one in value for pair in _files(one))


def _of_training(metadata: Mapping[str, str]) -> Iterator[OriginRow]:
    for relation, name, digests in _NAMED:
        digest = next((metadata[key] for key in digests if _digest(metadata.get(key))), None)
        yield from _row(relation, metadata.get(name), digest)


def _of_embedding(extras: Mapping[str, object]) -> Iterable[OriginRow]:
    return _row("trained_on", extras.get("sd_checkpoint_name"), extras.get("sd_checkpoint"))


def _row(relation: str, name: Any, digest: Any) -> Iterator[OriginRow]:
    text = name.strip() if isinstance(name, str) else ""
    text = "" if text in _NOTHING else base_name(text[:_LONGEST])
    known = _digest(digest)
    if text or known:
        yield OriginRow(relation=relation, name=text or None, digest=known)


def _digest(value: object) -> str | None:
    match = _HEX.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[1].lower() if match else None
