"""Small models with the names of Stable Diffusion, of given numbers, for tests of comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kanna.dtypes import WORDS
from kanna.identity import Ema, Identity, Part, PositionIdKey, PositionIds
from kanna.model import ModelFile, TensorInfo
from kanna.ops.diff import DiffReport, report
from kanna.ops.diff_compared import Compared, compared
from kanna.ops.diff_sides import Side, align, side_of
from kanna.views.given import Given

Array = NDArray[Any]
Arrays = Mapping[str, Array]

UNET, CLIP, VAE = "model.diffusion_model.", "cond_stage_model.transformer.", "first_stage_model."
EMA = "model_ema."
IDS = CLIP + "text_model.embeddings.position_ids"
BLOCKS = {
    "input_blocks.1.1": "IN01", "input_blocks.4.1": "IN04", "middle_block.1": "M00",
    "output_blocks.5.1": "OUT05",
}  # fmt: skip
SHAPES = {
    **{
        f"{UNET}{block}.transformer_blocks.0.{rest}": shape
        for block in BLOCKS
        for rest, shape in {
            "attn1.to_q.weight": (128, 128), "attn2.to_k.weight": (128, 96),
            "norm1.weight": (128,), "norm1.bias": (128,),
        }.items()
    },
    UNET + "time_embed.0.weight": (128, 64),
    CLIP + "text_model.encoder.layers.0.self_attn.k_proj.weight": (96, 96),
    CLIP + "text_model.encoder.layers.0.layer_norm1.weight": (96,),
    VAE + "decoder.conv_in.weight": (64, 4, 3, 3),
}  # fmt: skip
_WORDS = {"float16": "fp16", "float32": "fp32", "float64": "fp64", "int64": "int64"}


def weights(seed: int, *, dtype: str = "float32", near: Arrays | None = None) -> dict[str, Array]:
    """Numbers of all tensors: around 0, or around those of `near`."""
    random = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for name, shape in SHAPES.items():
        numbers = random.standard_normal(shape) * (0.03 if near is None else 0.004)
        if near is not None:
            numbers = numbers + near[name]
        found[name] = numbers.astype(dtype)
    return found


def model_of(arrays: Arrays, path: str = "a.safetensors") -> ModelFile:
    tensors = {
        name: TensorInfo(name, WORDS[_WORDS[str(one.dtype)]], one.shape, Given(one.tobytes()))
        for name, one in arrays.items()
    }
    size = sum(one.nbytes for one in arrays.values())
    return ModelFile(path=Path(path), container="safetensors", size=size, tensors=tensors, files=())


def identity_of(model: ModelFile) -> Identity:
    parts = [
        _part(model, "diffusion_model", UNET, "sd1", None),
        _part(model, "text_encoder", CLIP, "clip", "clip-l"),
        _part(model, "vae", VAE, None, None),
    ]
    pairs = {
        name: EMA + name.removeprefix("model.").replace(".", "")
        for name in model
        if name.startswith(UNET)
    }
    pairs = {name: copy for name, copy in pairs.items() if copy in model}
    ids = (PositionIdKey(name=IDS, dtype="int64", state="ok"),) if IDS in model else ()
    return Identity(
        path=str(model.path), size=model.size, container=model.container, kind="checkpoint",
        architecture="sd1", certainty="certain", parts=tuple(p for p in parts if p.names),
        ema=Ema(present=bool(pairs), prefix=EMA, pairs=pairs),
        position_ids=PositionIds(state="ok" if ids else "absent", keys=ids),
    )  # fmt: skip


def _part(
    model: ModelFile, role: str, prefix: str, architecture: str | None, variant: str | None
) -> Part:
    names = tuple(name for name in model if name.startswith(prefix))
    return Part(
        role=role, architecture=architecture, prefix=prefix, names=names, parameters=0, bytes=0,
        dtypes={}, complete=True, variant=variant, layout="ldm" if role != "text_encoder" else "hf",
    )  # fmt: skip


def with_ema(arrays: Arrays, copies: Arrays) -> dict[str, Array]:
    """`arrays` with an averaged copy that has the numbers of `copies`."""
    added = {
        EMA + name.removeprefix("model.").replace(".", ""): one
        for name, one in copies.items()
        if name.startswith(UNET)
    }
    return {**arrays, **added}


def side(arrays: Arrays, path: str = "a.safetensors") -> Side:
    model = model_of(arrays, path)
    return side_of(model, identity_of(model))


def measured(first: Arrays, second: Arrays, *others: Arrays, threads: int = 2) -> Compared:
    a, b = side(first), side(second, "b.safetensors")
    candidates = tuple(side(one, f"{n}.safetensors") for n, one in enumerate(others))
    return compared(a, b, candidates, align(a, b, candidates), threads=threads)


def reported(first: Arrays, second: Arrays, *others: Arrays, threads: int = 2) -> DiffReport:
    return report(measured(first, second, *others, threads=threads))


def mixed(first: Arrays, other: Arrays, alpha: float | Mapping[str, float]) -> dict[str, Array]:
    """(1 - alpha) A + alpha C in fp64, rounded to A's dtype; alpha may be by block."""
    found: dict[str, Array] = {}
    for name, one in first.items():
        weight = alpha if isinstance(alpha, float) else _alpha(name, alpha)
        exact = (1 - weight) * one.astype("f8") + weight * other[name].astype("f8")
        found[name] = exact.astype(one.dtype)
    return found


def _alpha(name: str, alpha: Mapping[str, float]) -> float:
    rest = name.removeprefix(UNET)
    block = next((word for path, word in BLOCKS.items() if rest.startswith(f"{path}.")), None)
    if block is None:
        block = "IN00" if name.startswith(UNET) else "VAE" if name.startswith(VAE) else "BASE"
    return alpha.get(block, 0.0)
