"""Parts as `kanna split` would write them, and what `kanna join` makes of such files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import ModelFile, TensorInfo
from kanna.ops.join import JoinOptions, JoinPlan, join
from kanna.ops.split import SplitOptions, split
from kanna.plan import Plan

Input = tuple[ModelFile, Identity]


def opened(plan: Plan, path: str) -> Input:
    """The file that a plan of copies makes, as it is seen when it is opened again."""
    tensors = {
        output.name: TensorInfo(output.name, output.dtype, output.shape, output.inputs[0].data)
        for output in plan.outputs
    }
    model = ModelFile(path=Path(path), container="safetensors", size=0, tensors=tensors, files=(),
                      metadata=plan.metadata)  # fmt: skip
    return model, identify(model)


def apart(model: ModelFile, **options: object) -> dict[str, Input]:
    """All parts of a model, by what they are called as files."""
    planned = split(model, identify(model), SplitOptions(**options))  # type: ignore[arg-type]
    return {part.name: opened(part.plan, f"{part.name}.safetensors") for part in planned.parts}


def together(parts: Iterable[Input], **options: object) -> JoinPlan:
    """What the parts make."""
    return join(list(parts), JoinOptions(**options))  # type: ignore[arg-type]
