"""Pairs of small models with real names, for tests that make LoRAs; and what a LoRA adds to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from kanna.identity import Identity, Part
from kanna.lora.baking import deltas
from kanna.merging.terms import as_tensor
from kanna.model import ModelFile
from kanna.ops.merge_inputs import Opened
from kanna.plan import Plan
from lora_files import file_of, random, values
from model_headers import headers

Tensors = Mapping[str, torch.Tensor]
UNET, CLIP, CLIP_G = "model.diffusion_model.", "cond_stage_model.transformer.", "te2."
FLUX = {
    "transformer_blocks.0.attn.to_q.weight": (16, 16),
    "transformer_blocks.0.attn.to_k.weight": (16, 16),
    "transformer_blocks.0.attn.to_v.weight": (16, 16),
    "transformer_blocks.0.attn.to_out.0.weight": (16, 16),
    "transformer_blocks.0.attn.to_out.0.bias": (16,),
}


def sd1(seed: int) -> dict[str, torch.Tensor]:
    """All tensors of an SD1 UNet and some of its CLIP, a fortieth as wide."""
    header = headers()["sd15-fp16-pruned"].tensors
    shapes = {name: tuple(n if n < 10 else max(n // 40, 4) for n in one.shape)
              for name, one in header.items() if name.startswith(UNET)}  # fmt: skip
    layer = CLIP + "text_model.encoder.layers.0."
    shapes |= {layer + "self_attn.q_proj.weight": (24, 24), layer + "layer_norm1.weight": (24,),
               CLIP + "text_model.embeddings.token_embedding.weight": (50, 24)}  # fmt: skip
    return {name: random(*shape, seed=seed + at) for at, (name, shape) in enumerate(shapes.items())}


def part(role: str, prefix: str, names: object, **more: object) -> Part:
    own = tuple(name for name in names if name.startswith(prefix))  # type: ignore[attr-defined]
    return Part(role=role, prefix=prefix, names=own, parameters=0, bytes=0, dtypes={},
                complete=None, **{"architecture": None, **more})  # type: ignore[arg-type]  # fmt: skip


def opened(file: ModelFile, architecture: str, *parts: Part, kind: str = "checkpoint") -> Opened:
    identity = Identity(path=str(file.path), size=0, container="safetensors", kind=kind,
                        architecture=architecture, certainty="certain", parts=parts)  # fmt: skip
    return Opened(model=file, identity=identity)


def sd1_model(tensors: Tensors, path: str = "model.safetensors") -> Opened:
    return opened(
        file_of(tensors, path=path), "sd1",
        part("diffusion_model", UNET, tensors, architecture="sd1", layout="ldm"),
        part("text_encoder", CLIP, tensors, variant="clip-l", layout="hf", component="clip-l-hf"),
    )  # fmt: skip


def flux_model(tensors: Tensors) -> Opened:
    return opened(
        file_of(tensors), "flux",
        part("diffusion_model", "", tensors, architecture="flux", layout="diffusers"),
    )  # fmt: skip


def lora_of(plan: Plan, architecture: str = "sd1") -> Opened:
    """What `plan` would write, as a file."""
    file = file_of({}, path="lora.safetensors")
    tensors = {}
    for output in plan.outputs:
        (tensor,) = output.inputs
        tensors[output.name] = replace(tensor, name=output.name)
    model = replace(file, tensors=tensors, metadata=plan.metadata)
    return opened(model, architecture, kind="lora")


def added_to(model: Opened, lora: Opened) -> dict[str, torch.Tensor]:
    """What a LoRA adds to the tensors of a model, by kanna's own bake."""
    found = deltas(lora.model, lora.identity, model.model, model.identity)
    made = {name: delta.adds(model.model[name], 1.0) for name, delta in found.items()}
    return {name: values(as_tensor(one)) for name, one in made.items() if one}


def saved(path: Path, tensors: Tensors) -> str:
    from safetensors.torch import save_file

    save_file({name: one.contiguous() for name, one in tensors.items()}, path)
    return str(path)
