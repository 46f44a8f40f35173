"""What is known of how a picture was made, as values, whatever program wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kanna.model import Note

Dialect: TypeAlias = Literal[
    "a1111", "forge", "sdnext", "civitai", "comfyui", "novelai", "invokeai", "fooocus", "swarmui",
    "easydiffusion", "drawthings", "unknown",
]  # fmt: skip
# What a model is in the picture; the words are those of `kind` in the identity document.
Role: TypeAlias = Literal[
    "checkpoint", "diffusion_model", "vae", "text_encoder", "lora", "embedding", "hypernetwork",
    "controlnet", "ip_adapter", "clip_vision", "upscaler", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReference:
    """A model that a picture names.

    `name` is as written: a title, a file name or a path of another machine. `digest` is as written,
    without ``0x`` and the like, lower case, and `meanings` the words of
    `kanna.hashing.resolving.MEANINGS` that the program can have meant, most likely first; empty
    means any. `weight` is a LoRA's strength. `where` is the key or node that says it, `stage` what
    it was used for beside the picture itself: ``refiner``, ``hires``, ``adetailer``.
    """

    role: Role
    name: str | None = None
    digest: str | None = None
    meanings: tuple[str, ...] = ()
    weight: float | None = None
    where: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A pair as the text has it, in its order; `value` is decoded: no quotes, no escapes."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationInfo:
    """How a picture was made; what is not said is None.

    `seed` is a whole number of any size. `sampler` and `scheduler` are as written. `width` and
    `height` are those that were asked for, in pixels. `parameters` are all pairs of the text in
    their order, known and unknown. `prompts` are texts of their own beside the prompt, such as
    those of NovelAI's characters or of other samplers of a workflow, by name. `program` is the
    version string of the program, where it gives one.
    """

    dialect: Dialect
    prompt: str | None = None
    negative: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    sampler: str | None = None
    scheduler: str | None = None
    cfg_scale: float | None = None
    distilled_cfg_scale: float | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    denoising_strength: float | None = None
    clip_skip: int | None = None
    program: str | None = None
    models: tuple[ModelReference, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    notes: tuple[Note, ...] = ()
