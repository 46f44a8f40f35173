"""SwarmUI: one JSON object with ``sui_image_params``, and the models with their digests.

A digest is the SHA-256 of a file's data, without its header, as ``0x…``.
Sources: mcmonkeyprojects/SwarmUI src/Text2Image/T2IParamInput.cs, T2IParamTypes.cs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kanna.infotext.editable import Editable
from kanna.infotext.flat_json import objects_in, pair_places, read_fields
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.infotext.places import Texts
from kanna.infotext.values import Fields, list_of, number_of, object_of, pairs_of, text_of
from kanna.infotext.written import Reading, Written

_PARAMS: Final = "sui_image_params"
_FIELDS: Final[Fields] = {
    "prompt": ("prompt",),
    "negative": ("negativeprompt",),
    "steps": ("steps",),
    "sampler": ("sampler", "comfyuisampler"),
    "scheduler": ("scheduler", "comfyuischeduler"),
    "cfg_scale": ("cfgscale",),
    "distilled_cfg_scale": ("fluxguidancescale",),
    "seed": ("seed",),
    "width": ("width",),
    "height": ("height",),
    "denoising_strength": ("initimagecreativity",),
    "program": ("swarm_version",),
}
# Parameters that name a model: what it is there, and what it is used for beside the picture.
_MODELS: Final[Mapping[str, tuple[Role, str]]] = {
    "model": ("checkpoint", ""),
    "refinermodel": ("checkpoint", "refiner"),
    "vae": ("vae", ""),
    "loras": ("lora", ""),
    "controlnetmodel": ("controlnet", ""),
    "controlnettwomodel": ("controlnet", ""),
    "controlnetthreemodel": ("controlnet", ""),
    "t5xxlmodel": ("text_encoder", ""),
    "cliplmodel": ("text_encoder", ""),
    "clipgmodel": ("text_encoder", ""),
    "clipvisionmodel": ("clip_vision", ""),
}
_NONE: Final = frozenset({"", "none", "(none)", "automatic", "(use base)"})


def open_swarmui(texts: Texts) -> Editable | None:
    """Return the texts as SwarmUI writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    found = next((one for one in objects_in(texts) if object_of(one.document.get(_PARAMS))), None)
    if found is None:
        return None
    params = object_of(found.document[_PARAMS])
    fields = read_fields(found, _FIELDS, (_PARAMS,))
    info = replace(
        fields.fill(GenerationInfo(dialect="swarmui")),
        models=tuple(_models(params, list_of(found.document.get("sui_models")))),
        parameters=(
            *fields.pairs(params),
            *pairs_of(object_of(found.document.get("sui_extra_data"))),
        ),
    )
    pairs = pair_places(found, ("sui_extra_data",)) | pair_places(found, (_PARAMS,))
    return Reading(
        info=info, places=fields.places, pairs=pairs, new=lambda key: found.place(_PARAMS, key)
    )


def _models(params: Mapping[str, Any], listed: list[Any]) -> Iterator[ModelReference]:
    """Yield the models, each with its digest where the list has it."""
    digests = {
        (row.get("param"), _stem(text_of(row.get("name")))): _digest(row.get("hash"))
        for row in map(object_of, listed)
        if isinstance(row.get("param"), str)
    }
    for param, (role, stage) in _MODELS.items():
        weights = _listed(params.get(f"{param.removesuffix('s')}weights"))
        for number, name in enumerate(_listed(params.get(param))):
            if name.lower() in _NONE:
                continue
            digest = digests.get((param, _stem(name)))
            yield ModelReference(
                role=role,
                name=name,
                digest=digest,
                meanings=("data_sha256",) if digest else (),
                weight=number_of(weights[number]) if number < len(weights) else None,
                where=param,
                stage=stage,
            )


def _listed(value: object) -> list[str]:
    """Return the texts of a list, which old versions wrote with commas between."""
    if isinstance(value, str):
        return [one.strip() for one in value.split(",")]
    return [text for one in list_of(value) if (text := text_of(one) or str(number_of(one)))]


def _stem(name: str | None) -> str:
    return (name or "").removesuffix(".safetensors")


def _digest(value: object) -> str | None:
    text = text_of(value)
    return text.removeprefix("0x").lower() if text and text.startswith("0x") else None
