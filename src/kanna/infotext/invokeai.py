"""InvokeAI: ``invokeai_metadata`` since version 3, ``sd-metadata`` before; else what a graph says.

A model's hash says what it is a hash by: ``blake3:``, ``sha256:``; ``random:`` is none.
``sd-metadata`` has the SHA-256 of the checkpoint, and prompts with the negative one in brackets.
Sources: invoke-ai/InvokeAI invokeai/app/invocations/metadata.py, docs of 2.x (IMG2IMG, PROMPTS),
ldm/invoke/args.py of 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import Found, json_in, pair_places, read_fields
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.infotext.invokeai_brackets import BracketPlace, parted
from kanna.infotext.json_text import Path
from kanna.infotext.places import Texts
from kanna.infotext.values import Fields, list_of, number_of, object_of, pairs_of, text_of
from kanna.infotext.written import Reading, Written

_FIELDS: Final[Fields] = {
    "prompt": ("positive_prompt",),
    "negative": ("negative_prompt",),
    "steps": ("steps",),
    "scheduler": ("scheduler",),
    "cfg_scale": ("cfg_scale",),
    "distilled_cfg_scale": ("guidance",),
    "seed": ("seed",),
    "width": ("width",),
    "height": ("height",),
    "denoising_strength": ("strength",),
    "clip_skip": ("clip_skip",),
    "program": ("app_version",),
}
_OLD_FIELDS: Final[Fields] = {
    "steps": ("steps",),
    "sampler": ("sampler",),
    "cfg_scale": ("cfg_scale",),
    "seed": ("seed",),
    "width": ("width",),
    "height": ("height",),
    "denoising_strength": ("strength",),
}
# Keys of models, of which some are lists: what they are, the keys of the model and of its weight.
_MODELS: Final[tuple[tuple[str, Role, str, tuple[str, ...], str], ...]] = (
    ("model", "checkpoint", "", (), ""),
    ("refiner_model", "checkpoint", "refiner", (), ""),
    ("vae", "vae", "", (), ""),
    ("t5_encoder", "text_encoder", "", (), ""),
    ("clip_embed_model", "text_encoder", "", (), ""),
    ("clip_l_embed_model", "text_encoder", "", (), ""),
    ("clip_g_embed_model", "text_encoder", "", (), ""),
    ("qwen3_encoder", "text_encoder", "", (), ""),
    ("loras", "lora", "", ("model", "lora"), "weight"),
    ("controlnets", "controlnet", "", ("control_model",), "control_weight"),
    ("control_layers", "controlnet", "", ("model",), "weight"),
    ("ipAdapters", "ip_adapter", "", ("ip_adapter_model",), "weight"),
    ("t2iAdapters", "controlnet", "", ("t2i_adapter_model",), "weight"),
)
_HASHES: Final = {
    "blake3": ("blake3",),
    "blake3_single": ("blake3",),
    "sha256": ("sha256",),
}
_OLD: Final = "sd-metadata"


def open_invokeai(texts: Texts) -> Editable | None:
    """Return the texts as InvokeAI writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    by_name: dict[str, Found] = {}
    for number, one in enumerate(texts):
        json = json_in(one)
        if json is not None:
            by_name.setdefault(one.keyword.lower(), Found(number, json))
    if (found := by_name.get("invokeai_metadata")) is not None:
        return _reading(found, ())
    if (found := by_name.get("invokeai_graph")) is not None:
        return _of_graph(found)
    if (found := by_name.get(_OLD)) is not None and object_of(found.document.get("image")):
        return _old(found)
    return None


def _of_graph(found: Found) -> Reading | None:
    """Read the node of a graph that gathers the metadata."""
    for key, node in object_of(found.document.get("nodes")).items():
        if object_of(node).get("type") == "core_metadata":
            return _reading(found, ("nodes", key))
    return None


def _reading(found: Found, base: Path) -> Reading | None:
    document = object_of(found.json.get(base))
    fields = read_fields(found, _FIELDS, base)
    if not fields.values:
        return None
    info = replace(
        fields.fill(GenerationInfo(dialect="invokeai")),
        prompts=dict(_styles(document)),
        models=tuple(_models(document)),
        parameters=fields.pairs(document),
    )
    return Reading(
        info=info,
        places=fields.places,
        pairs=pair_places(found, base),
        new=lambda key: found.place(*base, key),
    )


def _styles(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("positive_style_prompt", "negative_style_prompt", "refiner_positive_style_prompt"):
        text = text_of(document.get(key))
        if text:
            yield key, text


def _models(document: Mapping[str, Any]) -> Iterator[ModelReference]:
    for key, role, stage, inner, weight_key in _MODELS:
        for entry in _entries(document.get(key)):
            model = next((entry[one] for one in inner if one in entry), entry)
            weight = number_of(entry.get(weight_key))
            found = _model(model)
            if found:
                yield ModelReference(role=role, weight=weight, where=key, stage=stage, **found)


def _entries(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, str):  # the earliest builds of version 3 had the name alone
        return [{"name": value}]
    entries = value if isinstance(value, list) else [value]
    return [object_of(one) for one in entries]


def _model(model: object) -> dict[str, Any]:
    """Return name and digest of a model; old ones have no digest."""
    said = object_of(model)
    name = next((t for key in ("name", "model_name") if (t := text_of(said.get(key)))), None)
    kind, _, digest = (text_of(said.get("hash")) or "").partition(":")
    if kind in _HASHES and digest:
        return {"name": name, "digest": digest.lower(), "meanings": _HASHES[kind]}
    return {"name": name} if name else {}


def _old(found: Found) -> Reading:
    fields = read_fields(found, _OLD_FIELDS, ("image",))
    document = found.document
    image = object_of(document["image"])
    path, text = _old_prompt(image)
    info = replace(
        fields.fill(GenerationInfo(dialect="invokeai")),
        program=text_of(document.get("app_version")),
        models=tuple(_old_models(document)),
        parameters=(*pairs_of({k: v for k, v in document.items() if k != "image"}),
                    *pairs_of({k: v for k, v in image.items() if k != "prompt"})),
    )  # fmt: skip
    places = dict(fields.places)
    if path is not None:
        prompt, negative = parted(text)
        info = replace(info, prompt=prompt, negative=negative)
        place = found.place("image", *path)
        places["prompt"] = (BracketPlace(place=place, negative=False),)
        places["negative"] = (BracketPlace(place=place, negative=True),)
    pairs = pair_places(found) | pair_places(found, ("image",))
    return Reading(info=info, places=places, pairs=pairs, new=lambda key: found.place("image", key))


def _old_prompt(image: Mapping[str, Any]) -> tuple[Path | None, str]:
    """Return where the prompt of ``sd-metadata`` is, and the prompt."""
    prompt = image.get("prompt")
    if isinstance(prompt, str):
        return ("prompt",), text_of(prompt) or ""
    for number, one in enumerate(list_of(prompt)):
        text = text_of(object_of(one).get("prompt"))
        if text is not None:
            return ("prompt", number, "prompt"), text
    return None, ""


def _old_models(document: Mapping[str, Any]) -> Iterator[ModelReference]:
    name = text_of(document.get("model_weights"))
    digest = text_of(document.get("model_hash"))
    if name or digest:
        yield ModelReference(
            role="checkpoint",
            name=name,
            digest=digest.lower() if digest else None,
            meanings=("sha256",) if digest else (),
            where="model_weights",
        )
