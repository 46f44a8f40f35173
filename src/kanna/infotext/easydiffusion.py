"""Easy Diffusion: a text for each field, or one JSON object, or lines ``Label: value``.

Fields go by their names, or by their labels where text files are written, too. Models are paths on
the machine that made the picture, without a digest.
Source: easydiffusion/easydiffusion ui/easydiffusion/utils/save_utils.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import FlatFields, fields_of, objects_in, pair_places, read_fields
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.infotext.places import Place, Span, Texts, WholeText
from kanna.infotext.values import Fields, list_of, number_of, text_of
from kanna.infotext.written import Reading, Written

_LABELS: Final = {
    "prompt": "Prompt",
    "negative_prompt": "Negative Prompt",
    "seed": "Seed",
    "use_stable_diffusion_model": "Stable Diffusion model",
    "clip_skip": "Clip Skip",
    "use_controlnet_model": "ControlNet model",
    "control_filter_to_apply": "ControlNet Filter",
    "use_vae_model": "VAE model",
    "sampler_name": "Sampler",
    "width": "Width",
    "height": "Height",
    "num_inference_steps": "Steps",
    "guidance_scale": "Guidance Scale",
    "prompt_strength": "Prompt Strength",
    "use_lora_model": "LoRA model",
    "lora_alpha": "LoRA Strength",
    "use_hypernetwork_model": "Hypernetwork model",
    "hypernetwork_strength": "Hypernetwork Strength",
    "use_embedding_models": "Embedding models",
    "tiling": "Seamless Tiling",
    "use_face_correction": "Use Face Correction",
    "use_upscale": "Use Upscaling",
    "upscale_amount": "Upscale By",
    "latent_upscaler_steps": "Latent Upscaler Steps",
}
_NAMES: Final = frozenset(_LABELS) | frozenset(_LABELS.values())
_FIELDS: Final[Fields] = {
    name: (key, _LABELS[key])
    for name, key in (
        ("prompt", "prompt"),
        ("negative", "negative_prompt"),
        ("steps", "num_inference_steps"),
        ("sampler", "sampler_name"),
        ("cfg_scale", "guidance_scale"),
        ("seed", "seed"),
        ("width", "width"),
        ("height", "height"),
        ("denoising_strength", "prompt_strength"),
    )
}
# Keys of models: what they are, and the key of their weights.
_MODELS: Final[tuple[tuple[str, Role, str], ...]] = (
    ("use_stable_diffusion_model", "checkpoint", ""),
    ("use_vae_model", "vae", ""),
    ("use_lora_model", "lora", "lora_alpha"),
    ("use_hypernetwork_model", "hypernetwork", "hypernetwork_strength"),
    ("use_embedding_models", "embedding", ""),
    ("use_controlnet_model", "controlnet", ""),
    ("use_upscale", "upscaler", ""),
)
_MODEL_KEYS: Final = ("use_stable_diffusion_model", "Stable Diffusion model")
_NONE: Final = frozenset({"", "None", "none", "null", "[]", "False"})
_LINE: Final = re.compile(
    rf"^({'|'.join(map(re.escape, sorted(_LABELS.values(), key=len, reverse=True)))}): ?",
    re.MULTILINE,
)


def open_easydiffusion(texts: Texts) -> Editable | None:
    """Return the texts as Easy Diffusion writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    return _json(texts) or _fields(texts) or _lines(texts)


def _json(texts: Texts) -> Reading | None:
    """Read one object: of a .json file, or in UserComment."""
    for found in objects_in(texts):
        if any(key in found.document for key in _MODEL_KEYS):
            fields = read_fields(found, _FIELDS)
            info = _info(found.document, fields)
            return Reading(
                info=info, places=fields.places, pairs=pair_places(found), new=found.place
            )
    return None


def _fields(texts: Texts) -> Reading | None:
    """Read texts that are a field each, by the keyword."""
    places: dict[str, tuple[Place, ...]] = {
        one.keyword: (WholeText(text=number),)
        for number, one in enumerate(texts)
        if one.keyword in _NAMES
    }
    return _reading({one.keyword: one.text for one in texts if one.keyword in _NAMES}, places)


def _lines(texts: Texts) -> Reading | None:
    """Read the lines of a .txt file; a prompt may have several."""
    for number, one in enumerate(texts):
        labels = list(_LINE.finditer(one.text))
        ends = [label.start() - 1 for label in labels[1:]] + [len(one.text.rstrip("\n"))]
        places: dict[str, tuple[Place, ...]] = {}
        said: dict[str, str] = {}
        for label, end in zip(labels, ends, strict=False):
            span = Span(text=number, start=label.end(), end=max(end, label.end()),
                        label=max(label.start() - 1, 0), one_line=False)  # fmt: skip
            places[label[1]], said[label[1]] = (span,), one.text[span.start : span.end]
        if reading := _reading(said, places):
            return reading
    return None


def _reading(said: Mapping[str, str], pairs: Mapping[str, tuple[Place, ...]]) -> Reading | None:
    if not any(key in said for key in _MODEL_KEYS):
        return None
    fields = fields_of(said, _FIELDS, pairs.__getitem__)
    return Reading(info=_info(said, fields), places=fields.places, pairs=pairs)


def _info(said: Mapping[str, Any], fields: FlatFields) -> GenerationInfo:
    info = fields.fill(GenerationInfo(dialect="easydiffusion"))
    return replace(info, models=tuple(_models(said)), parameters=fields.pairs(said))


def _models(said: Mapping[str, Any]) -> Iterator[ModelReference]:
    for key, role, weight_key in _MODELS:
        weights = _listed(_get(said, weight_key))
        for number, name in enumerate(_listed(_get(said, key))):
            if name not in _NONE:
                weight = number_of(weights[number]) if number < len(weights) else None
                yield ModelReference(role=role, name=name, weight=weight, where=key)


def _get(said: Mapping[str, Any], key: str) -> object:
    value = said.get(key)
    return said.get(_LABELS.get(key, "")) if value is None else value


def _listed(value: object) -> list[str]:
    """Return what is one value, a list, or a list with commas between in text."""
    if isinstance(value, str):
        return [one.strip(" '\"[]") for one in value.split(", ")]
    if isinstance(value, list):
        return [text for one in list_of(value) if (text := text_of(one) or str(one))]
    number = number_of(value)
    return [] if number is None else [str(number)]
