"""Infotexts as JSON documents and as rows of a table: one form for every verb."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from kanna.api.infotext_values import Infotext
from kanna.identity import said
from kanna.infotext.info import GenerationInfo, ModelReference
from kanna.model import Note
from kanna.pictures.picture import PictureText

# the values of `GenerationInfo` that are said in one word or number
_PLAIN: Final = (
    "dialect", "program", "prompt", "negative", "steps", "sampler", "scheduler", "cfg_scale",
    "distilled_cfg_scale", "seed", "width", "height", "denoising_strength", "clip_skip",
)  # fmt: skip
_ROLES: Final = ("checkpoint", "diffusion_model", "vae")
_LISTED: Final = ("lora", "embedding", "hypernetwork", "controlnet", "upscaler", "text_encoder")
COLUMNS: Final = (
    "path", "container", "picture_width", "picture_height", *_PLAIN,
    *(f"{role}{end}" for role in _ROLES for end in ("", "_hash")), *_LISTED, "parameters", "error",
)  # fmt: skip


def infotext_document(found: Infotext) -> dict[str, object]:
    """Return what was found as a JSON document; `generation` is null where nothing is said."""
    return {
        "path": str(found.path),
        "container": found.holder,
        "size": found.size,
        "width": found.width,
        "height": found.height,
        "generation": None if found.info is None else generation_document(found.info),
        "texts": [text_document(text) for text in found.texts],
        "notes": [_note(note) for note in found.notes],
    }


def generation_document(info: GenerationInfo) -> dict[str, object]:
    """Return how a picture was made as a JSON document."""
    document = {name: getattr(info, name) for name in _PLAIN}
    return document | {
        "prompts": dict(info.prompts),
        "models": [_model(model) for model in info.models],
        "parameters": [{"key": pair.key, "value": pair.value} for pair in info.parameters],
        "notes": [_note(note) for note in info.notes],
    }


def text_document(text: PictureText) -> dict[str, object]:
    """Return a text with its place as a JSON document."""
    return {field.name: getattr(text, field.name) for field in fields(text)}


def infotext_row(found: Infotext) -> dict[str, object]:
    """Return what was found by `COLUMNS`; several models of a role share a cell."""
    row: dict[str, object] = {
        "path": str(found.path), "container": found.holder,
        "picture_width": found.width, "picture_height": found.height,
    }  # fmt: skip
    info = found.info
    if info is None:
        return row
    row |= {name: getattr(info, name) for name in _PLAIN}
    for role in _ROLES:
        models = [model for model in info.models if model.role == role]
        row[role] = _joined(model.name for model in models)
        row[f"{role}_hash"] = _joined(model.digest for model in models)
    for role in _LISTED:
        row[role] = _joined(_named(model) for model in info.models if model.role == role)
    row["parameters"] = ", ".join(f"{pair.key}: {pair.value}" for pair in info.parameters)
    return row


def _named(model: ModelReference) -> str:
    """Return a model in one word: ``name:0.8 [digest]``."""
    weight = "" if model.weight is None else f":{model.weight:g}"
    digest = "" if model.digest is None else f" [{model.digest}]"
    return f"{model.name or ''}{weight}{digest}".strip()


def _joined(words: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(filter(None, words))) or None


def _model(model: ModelReference) -> dict[str, object]:
    return {
        "role": model.role, "name": model.name, "digest": model.digest,
        "meanings": list(model.meanings), "weight": model.weight, "where": model.where,
        "stage": model.stage,
    }  # fmt: skip


def _note(note: Note) -> dict[str, object]:
    return {"key": note.key, "warning": note.warning, "text": said(note)}
