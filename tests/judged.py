"""Files before their judges, made of real names and shapes, and what mending makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from kanna.demo import checkpoint_tensors
from kanna.dtypes import FP16, DType
from kanna.findings import Finding, Purpose, Subject, check
from kanna.identify import identify
from kanna.model import ModelFile, TensorInfo
from kanna.ops.convert import convert
from kanna.ops.fix import gather
from kanna.plan import Constant
from model_headers import Bytes
from models import model_of

CLIP = "cond_stage_model.transformer."


def subject(model: ModelFile, purpose: Purpose | None = None, **known: object) -> Subject:
    path = known.pop("path", None) or model.path
    return Subject(path=Path(path), model=model, identity=identify(model), purpose=purpose, **known)  # type: ignore[arg-type]


def codes(findings: Iterable[Finding]) -> list[str]:
    return sorted({finding.rule.code for finding in findings})


def codes_of(model: ModelFile, purpose: Purpose | None = None, **known: object) -> list[str]:
    return codes(check(subject(model, purpose, **known)))


def only(code: str, findings: Iterable[Finding]) -> Finding:
    (found,) = [finding for finding in findings if finding.rule.code == code]
    return found


def merged_checkpoint(path: str = "merged.ckpt", **settings: object) -> ModelFile:
    """SD 1.5 in fp32 with EMA, NAI's names, trainer state, and position ids that a merge damaged."""
    extras = {"optimizer_states": [1], "global_step": 9}
    return model_of(map(_as_nai, checkpoint_tensors()), path=path, extras=extras, **settings)  # type: ignore[arg-type]


def clean_checkpoint(path: str = "clean.safetensors", **settings: object) -> ModelFile:
    """What mending the merged checkpoint for generation makes: nothing is wrong with it."""
    return mended(merged_checkpoint(path), "generation", path=path, **settings)  # type: ignore[arg-type]


def mended(
    model: ModelFile,
    purpose: Purpose | None = None,
    *,
    path: str = "out.safetensors",
    metadata: Mapping[str, str] | None = None,
    **known: object,
) -> ModelFile:
    """The file that `kanna fix` would write, without its weights."""
    fixes = gather(check(subject(model, purpose, **known)))
    plan = convert(model, identify(model), fixes.conversion()).plan
    tensors = []
    for output in plan.outputs:
        data = Bytes(output.op.data) if isinstance(output.op, Constant) else None
        source = output.inputs[0].data if data is None else data
        tensors.append(TensorInfo(output.name, output.dtype, output.shape, source))
    fields = dict(plan.metadata) | dict(metadata or {})
    return model_of(tensors, path=path, container="safetensors", metadata=fields)


def cast(model: ModelFile, prefix: str, dtype: DType = FP16) -> ModelFile:
    """The same file with the floats under `prefix` in another dtype."""
    return changed(
        model,
        {
            name: TensorInfo(name, dtype, tensor.shape, tensor.data)
            for name, tensor in model.items()
            if name.startswith(prefix) and tensor.dtype.is_float
        },
    )


def changed(
    model: ModelFile,
    tensors: Mapping[str, TensorInfo],
    *,
    without: Iterable[str] = (),
    metadata: Mapping[str, str] | None = None,
    path: str | None = None,
) -> ModelFile:
    """The same file with `tensors` in place of, or beside, its own."""
    gone = set(without)
    kept = {name: tensor for name, tensor in model.items() if name not in gone}
    fields = dict(model.metadata) if metadata is None else metadata
    return model_of(
        (kept | dict(tensors)).values(), path=path or str(model.path), container=model.container,
        metadata=fields, extras=model.extras,
    )  # fmt: skip


def _as_nai(tensor: TensorInfo) -> TensorInfo:
    name = tensor.name.replace(f"{CLIP}text_model.", CLIP)
    return TensorInfo(name, tensor.dtype, tensor.shape, tensor.data)
