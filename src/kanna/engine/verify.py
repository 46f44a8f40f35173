"""Re-opens what was written with the reader that everyone uses, and compares it with the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from kanna.engine.meter import Meter
from kanna.engine.work import OUT_CHUNK
from kanna.errors import KannaError
from kanna.formats import open_model
from kanna.formats.layout import FileLayout
from kanna.model import ModelFile
from kanna.plan import Plan


def verify(
    path: Path,
    plan: Plan,
    layout: FileLayout,
    *,
    digest: str | None,
    meter: Meter,
    prove: Callable[[ModelFile], None] | None,
) -> None:
    """Compare the header at `path` with the plan, and all bytes with `digest` if one is given.

    `prove` is called with the open file and raises if something else about it is wrong.

    Raises:
        KannaError: the file is not what was planned.
    """
    with open_model(path) as model:
        if model.size != layout.size or not _as_planned(model, plan, layout):
            raise KannaError("engine.not_as_planned", path=path)
        if digest is not None and _digest(model, meter) != digest:
            raise KannaError("engine.not_as_written", path=path)
        if prove is not None:
            prove(model)


def _as_planned(model: ModelFile, plan: Plan, layout: FileLayout) -> bool:
    if list(model) != [output.name for output in plan.outputs]:
        return False
    return all(
        (tensor.dtype, tensor.shape) == (output.dtype, output.shape)
        and ((extent := tensor.data.extent()) is None or extent.offset == offset)
        for tensor, output, offset in zip(model.values(), plan.outputs, layout.offsets, strict=True)
    )


def _digest(model: ModelFile, meter: Meter) -> str:
    sha256 = hashlib.sha256()
    buffer = memoryview(bytearray(OUT_CHUNK))
    done = 0
    for file in model.files:
        file.will_stream()
    for tensor in model.values():
        for start in range(0, tensor.nbytes, OUT_CHUNK):
            chunk = buffer[: min(OUT_CHUNK, tensor.nbytes - start)]
            tensor.data.read_into(start, chunk)
            sha256.update(chunk)
            done += len(chunk)
            meter.tick(done)
    return sha256.hexdigest()
