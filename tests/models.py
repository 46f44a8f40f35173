"""Whole models in memory, for tests of plans: real names and shapes, made-up or given numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kanna.demo import Noise, checkpoint_tensors, component_tensors
from kanna.dtypes import FP32, INT64, DType
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import ModelFile, TensorInfo
from kanna.ops.convert import ConvertOptions, convert
from kanna.plan import Output, Plan
from kanna.views.given import Given

IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"
UNET = "model.diffusion_model."
VAE = "first_stage_model."


def model_of(
    tensors: Iterable[TensorInfo],
    *,
    path: str = "model.ckpt",
    container: str = "ckpt-zip",
    metadata: Mapping[str, str] | None = None,
    extras: Mapping[str, object] | None = None,
) -> ModelFile:
    by_name = {tensor.name: tensor for tensor in tensors}
    return ModelFile(
        path=Path(path), container=container, size=sum(t.nbytes for t in by_name.values()),
        tensors=by_name, files=(), metadata=metadata or {}, extras=extras or {},
    )  # fmt: skip


def full_checkpoint(**settings: object) -> ModelFile:
    """SD 1.5 in fp32 with EMA, schedule buffers and position ids that a merge damaged."""
    return model_of(checkpoint_tensors(), **settings)  # type: ignore[arg-type]


def without(model: ModelFile, *names: str) -> ModelFile:
    kept = [tensor for name, tensor in model.items() if name not in names]
    return model_of(kept, extras=model.extras, metadata=model.metadata)


def plus(model: ModelFile, *tensors: TensorInfo) -> ModelFile:
    return model_of([*model.values(), *tensors], extras=model.extras, metadata=model.metadata)


def bare_vae(prefix: str = "", row: str = "vae-kl-f8-c4-ldm", seed: int = 5) -> ModelFile:
    return model_of(component_tensors(prefix, row, seed=seed), path="vae.pt")


def tensor(name: str, values: Sequence[float], dtype: DType = FP32) -> TensorInfo:
    codes = {"fp32": "f", "int64": "q", "fp16": "e"}
    data = struct.pack(f"<{len(values)}{codes[dtype.word]}", *values)
    return TensorInfo(name, dtype, (len(values),), Given(data))


def ids(values: Sequence[float], dtype: DType = INT64, name: str = IDS) -> TensorInfo:
    flat = tensor(name, values, dtype)
    return TensorInfo(name, dtype, (1, len(values)), flat.data)


def weight(name: str, *shape: int, dtype: DType = FP32) -> TensorInfo:
    return TensorInfo(name, dtype, shape, Noise(3))


def planned(model: ModelFile, baked: ModelFile | None = None, **wanted: object) -> Plan:
    source = None if baked is None else (baked, identify(baked))
    asked = ConvertOptions(**wanted)  # type: ignore[arg-type]
    return convert(model, identify(model), asked, source).plan


def outputs(plan: Plan) -> dict[str, Output]:
    return {output.name: output for output in plan.outputs}


def said(plan: Plan) -> set[str]:
    """The keys of everything that a plan tells."""
    return {note.key for note in plan.notes}


def identity_of(model: ModelFile) -> Identity:
    return identify(model)
