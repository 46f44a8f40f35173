"""How a picture was made, whatever wrote it, as a text in A1111's grammar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from kanna.infotext.a1111_grammar import LABEL
from kanna.infotext.a1111_lists import hash_list, name_in_list
from kanna.infotext.a1111_pairs import written
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.infotext.tokens import read_tokens, token_text

# Dialects whose parameters are those of this grammar already.
OWN: Final = {"a1111", "forge", "sdnext", "civitai"}
# The order in which AUTOMATIC1111 1.10 and Forge write their keys. Source: modules/processing.py.
ORDER: Final = (
    "Steps", "Sampler", "Schedule type", "CFG scale", "Distilled CFG Scale", "Image CFG scale",
    "Seed", "Face restoration", "Size", "Model hash", "Model", "FP8 weight",
    "Cache FP16 weight for LoRA", "VAE hash", "VAE", "Variation seed", "Variation seed strength",
    "Seed resize from", "Denoising strength", "Conditional mask weight", "Clip skip", "ENSD",
    "Token merging ratio", "Token merging ratio hr", "Init image hash", "RNG", "Tiling",
    "Hires upscale", "Hires steps", "Hires upscaler", "Hires resize", "Hires sampler",
    "Hires schedule type", "Hires checkpoint", "Hires prompt", "Hires negative prompt",
    "Hires CFG Scale", "Refiner", "Refiner switch at", "Lora hashes", "TI hashes",
)  # fmt: skip
# After all others.
LAST: Final = ("Version", "User", "Diffusion in Low Bits", *(f"Module {n}" for n in range(1, 10)))
_PLACES: Final = {key: place for place, key in enumerate((*ORDER, "", *LAST))}
# A1111's names of samplers, by those of ComfyUI; NovelAI and InvokeAI have k_ before them.
# Sources: AUTOMATIC1111 modules/sd_samplers_kdiffusion.py, ComfyUI comfy/samplers.py.
_SAMPLERS: Final = {
    "euler": "Euler", "euler_ancestral": "Euler a", "euler_a": "Euler a", "heun": "Heun",
    "dpm_2": "DPM2", "dpm_2_ancestral": "DPM2 a", "lms": "LMS", "dpm_fast": "DPM fast",
    "dpm_adaptive": "DPM adaptive", "dpmpp_2s_ancestral": "DPM++ 2S a", "dpmpp_sde": "DPM++ SDE",
    "dpmpp_2m": "DPM++ 2M", "dpmpp_2m_sde": "DPM++ 2M SDE", "dpmpp_3m_sde": "DPM++ 3M SDE",
    "ddim": "DDIM", "uni_pc": "UniPC", "lcm": "LCM",
}  # fmt: skip
# Source: AUTOMATIC1111 modules/sd_schedulers.py.
_SCHEDULERS: Final = {
    "karras": "Karras", "exponential": "Exponential", "sgm_uniform": "SGM Uniform",
    "simple": "Simple", "normal": "Normal", "ddim_uniform": "DDIM", "beta": "Beta",
    "kl_optimal": "KL Optimal", "polyexponential": "Polyexponential",
}  # fmt: skip
# How many digits A1111 shows of what: of a model, of a LoRA's data, of an embedding.
_SHORT: Final = {"sha256": 10, "sha256_16": 10, "sha256_12": 10, "autov2": 10, "autov1": 8}
_OF_DATA: Final = {"data_sha256": 12, "autov3": 12}
_OF_FILES: Final = {"sha256": 12, "sha256_16": 12, "sha256_12": 12}

Pairs = Sequence[tuple[str, str]]


def write_a1111(info: GenerationInfo) -> str:
    """Return how a picture was made as a text that A1111, Forge and SD.Next read.

    LoRAs that another program keeps beside the prompt become tokens in it.
    """
    return written_text(prompt_of(info), info.negative or "", pairs_of(info))


def written_text(prompt: str, negative: str, pairs: Pairs) -> str:
    """Return a text of these parts, as AUTOMATIC1111 writes it."""
    parts = [prompt, f"{LABEL} {negative}" if negative else ""]
    parts.append(", ".join(_pair(key, value) for key, value in pairs))
    return "\n".join(part for part in parts if part)


def _pair(key: str, value: str) -> str:
    return key if key == value else f"{key}: {written(value, key=key)}"


def in_order(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs in the order of A1111; those that it does not know keep theirs."""
    return sorted(pairs, key=lambda pair: _PLACES.get(pair[0], _PLACES[""]))


def prompt_of(info: GenerationInfo) -> str:
    """Return the prompt, with tokens for the LoRAs that stood elsewhere."""
    prompt = info.prompt or ""
    if info.dialect in OWN:
        return prompt
    there = {token.name for token in read_tokens(prompt)}
    tokens = [
        token_text(stem, 1.0 if one.weight is None else one.weight)
        for one in _of(info, "lora")
        if (stem := _stem(one)) and stem not in there
    ]
    return ", ".join([*([prompt] if prompt else []), *tokens])


def pairs_of(info: GenerationInfo) -> Pairs:
    """Return the pairs for a picture: its own where they are A1111's, else what is known of it."""
    if info.dialect in OWN:
        return [(one.key, one.value) for one in info.parameters]
    return [(key, value) for key, value in _known(info) if value]


def _known(info: GenerationInfo) -> Iterator[tuple[str, str]]:
    models = [*_of(info, "checkpoint"), *_of(info, "diffusion_model")]
    encoders, vaes = _of(info, "text_encoder"), _of(info, "vae")
    yield "Steps", _number(info.steps)
    yield "Sampler", _word(info.sampler, _SAMPLERS)
    yield "Schedule type", _word(info.scheduler, _SCHEDULERS)
    yield "CFG scale", _number(info.cfg_scale)
    yield "Distilled CFG Scale", _number(info.distilled_cfg_scale)
    yield "Seed", _number(info.seed)
    yield "Size", f"{info.width}x{info.height}" if info.width and info.height else ""
    yield "Model hash", "".join(_digest(one, _SHORT) for one in models[:1])
    yield "Model", "".join(map(_stem, models[:1]))
    yield "VAE hash", "".join(_digest(one, _SHORT) for one in vaes[:1])
    yield "VAE", "".join(map(_stem, vaes[:1]))
    yield "Denoising strength", _number(info.denoising_strength)
    yield "Clip skip", _number(info.clip_skip)
    yield "Lora hashes", _hashes(_of(info, "lora"), _OF_DATA)
    yield "TI hashes", _hashes(_of(info, "embedding"), _OF_FILES)
    # Forge names all parts that are not in the file.
    for number, one in enumerate([*vaes[:1], *encoders] if encoders else [], start=1):
        yield f"Module {number}", _stem(one)


def _of(info: GenerationInfo, role: Role) -> list[ModelReference]:
    return [one for one in info.models if one.role == role and not one.stage]


def _hashes(references: Sequence[ModelReference], lengths: Mapping[str, int]) -> str:
    return hash_list({_stem(one): _digest(one, lengths) for one in references})


def _digest(one: ModelReference, lengths: Mapping[str, int]) -> str:
    """Return as much of a digest as A1111 shows, if it is of the kind that A1111 takes."""
    return (one.digest or "")[: lengths.get(next(iter(one.meanings), ""), 0)]


def _stem(one: ModelReference) -> str:
    return name_in_list(one.name or "")


def _word(word: str | None, names: dict[str, str]) -> str:
    return names.get((word or "").lower().removeprefix("k_"), word or "")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)
