"""Re-opens what was written with the reader that everyone uses, and compares it with the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from kanna.engine.meter import Meter
from kanna.engine.prepare import Job
from kanna.engine.work import OUT_CHUNK
from kanna.errors import KannaError
from kanna.formats import open_model
from kanna.formats.layout import Metadata
from kanna.model import ModelFile


def verify(
    path: Path,
    job: Job,
    *,
    digest: str | None,
    meter: Meter,
    prove: Callable[[ModelFile], None] | None,
) -> None:
    """Compare the header and metadata at `path` with the plan; in a ``full`` run all bytes too.

    `digest` is that of the data that was written, if it was computed. `prove` is called with the
    open file and raises if something else about it is wrong.

    Raises:
        KannaError: the file is not what was planned.
    """
    with open_model(path) as model:
        if not (_tensors_fit(model, job) and _metadata_fits(model, job, digest)):
            raise KannaError("engine.not_as_planned", path=path)
        if job.full and _digest(model, meter) != digest:
            raise KannaError("engine.not_as_written", path=path)
        if prove is not None:
            prove(model)


def _tensors_fit(model: ModelFile, job: Job) -> bool:
    outputs, layout = job.plan.outputs, job.layout
    if model.size != layout.size or list(model) != [output.name for output in outputs]:
        return False
    return all(
        (tensor.dtype, tensor.shape) == (output.dtype, output.shape)
        and ((extent := tensor.data.extent()) is None or extent.offset == offset)
        for tensor, output, offset in zip(model.values(), outputs, layout.offsets, strict=True)
    )


def _metadata_fits(model: ModelFile, job: Job, digest: str | None) -> bool:
    fields = Metadata(job.plan.metadata, job.plan.digest_fields).filled(digest or "")
    return model.metadata == {**fields, **job.layout.stated}


def _digest(model: ModelFile, meter: Meter) -> str:
    sha256 = hashlib.sha256()
    done = 0
    for file in model.files:
        file.will_stream()
    for tensor in model.values():
        for piece in tensor.pieces(OUT_CHUNK):
            sha256.update(piece)
            done += len(piece)
            meter.tick(done)
    return sha256.hexdigest()
