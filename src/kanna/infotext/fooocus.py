"""Fooocus: one JSON object under ``parameters``, or in UserComment with its scheme as MakerNote.

With the scheme ``a1111`` the text is in A1111's grammar, which is read there. Hashes are the first
ten digits of SHA-256. Forks, and the copies from log.html, call things by their labels.
Sources: lllyasviel/Fooocus modules/meta_parser.py, modules/private_logger.py;
runew0lf/RuinedFooocus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import (
    NO_FIELDS,
    FlatFields,
    Found,
    objects_in,
    pair_places,
    read_fields,
    read_size,
)
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.infotext.places import Texts
from kanna.infotext.values import Fields, list_of, number_of, text_of
from kanna.infotext.written import Reading, Written

_FIELDS: Final[Fields] = {
    "prompt": ("prompt", "Prompt"),
    "negative": ("negative_prompt", "Negative Prompt", "Negative"),
    "steps": ("steps", "Steps"),
    "sampler": ("sampler", "Sampler", "sampler_name"),
    "scheduler": ("scheduler", "Scheduler"),
    "cfg_scale": ("guidance_scale", "Guidance Scale", "cfg"),
    "seed": ("seed", "Seed"),
    "width": ("width",),
    "height": ("height",),
    "clip_skip": ("clip_skip", "CLIP Skip"),
    "program": ("version", "Version", "software"),
}
_SIZES: Final = ("resolution", "Resolution")
# Keys of models: what they are, what for, the key of the digest.
_MODELS: Final[tuple[tuple[str, Role, str, str], ...]] = (
    ("base_model", "checkpoint", "", "base_model_hash"),
    ("Base Model", "checkpoint", "", "base_model_hash"),
    ("base_model_name", "checkpoint", "", "base_model_hash"),
    ("refiner_model", "checkpoint", "refiner", "refiner_model_hash"),
    ("Refiner Model", "checkpoint", "refiner", "refiner_model_hash"),
    ("vae", "vae", "", ""),
    ("VAE", "vae", "", ""),
)
_TELLING: Final = frozenset({one[0] for one in _MODELS} - {"vae", "VAE"})
_NONE: Final = frozenset({"", "None", "Default (model)"})


def open_fooocus(texts: Texts) -> Editable | None:
    """Return the texts as Fooocus writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    found = next((one for one in objects_in(texts) if _is_ours(one)), None)
    if found is None:
        return None
    fields = read_fields(found, _FIELDS)
    size = _size(found)
    info = replace(
        size.fill(fields.fill(GenerationInfo(dialect="fooocus"))),
        models=(*_models(found.document), *_loras(found.document)),
        parameters=fields.pairs(found.document),
    )
    return Reading(
        info=info,
        places={**fields.places, **size.places},
        pairs=pair_places(found),
        new=found.place,
    )


def _is_ours(found: Found) -> bool:
    return bool(_TELLING & found.document.keys())


def _size(found: Found) -> FlatFields:
    return next((size for key in _SIZES if (size := read_size(found, key)).values), NO_FIELDS)


def _models(document: Mapping[str, Any]) -> Iterator[ModelReference]:
    for key, role, stage, digest_key in _MODELS:
        name = text_of(document.get(key))
        if name is None or name in _NONE:
            continue
        yield ModelReference(
            role=role, name=name, where=key, stage=stage, **_digest(document.get(digest_key))
        )


def _digest(value: object) -> dict[str, Any]:
    """Return a digest and what it means; it had all 64 digits for a short while."""
    text = text_of(value)
    if not text:
        return {}
    return {"digest": text.lower(), "meanings": ("sha256",) if len(text) == 64 else ("autov2",)}


def _loras(document: Mapping[str, Any]) -> Iterator[ModelReference]:
    """Yield the LoRAs: the list with digests, else the pairs that are ``name : weight``."""
    listed = [one for one in list_of(document.get("loras")) if len(list_of(one)) >= 2]
    for name, weight, *rest in listed:
        digest = _digest(rest[0] if rest else None)
        yield ModelReference(
            role="lora", name=text_of(name), weight=number_of(weight), where="loras", **digest
        )
    for key, value in () if listed else document.items():
        name, _, weight = (text_of(value) or "").rpartition(" : ")
        if name not in _NONE and key.lower().startswith("lora"):
            yield ModelReference(role="lora", name=name, weight=number_of(weight), where=key)
