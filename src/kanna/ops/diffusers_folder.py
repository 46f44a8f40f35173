"""A model as a diffusers folder: which files it has, each a plan or a text.

::

    Pieces ─ pipeline     which class, which components (`kanna.families.pipelines`)
           ├ component    a piece in diffusers' names, its config, what is left over
           │   └ shards   its weights, in files of a size
           ├ scheduler    its settings, from what the model predicts
           ├ tokenizers   copied from a folder, else named
           └ leftovers    all that no component takes: the way back loses nothing
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kanna.errors import Incomplete, UnknownModel, UsageError
from kanna.families.pipelines import (
    Component,
    Pipeline,
    pipelines_for,
    predictions_of,
    scheduler_for,
)
from kanna.identity import Identity
from kanna.metadata import Metadata, extended
from kanna.model import ModelFile, Note, TensorInfo
from kanna.ops.diffusers_component import ORIGIN, Made, make_component
from kanna.ops.parts import Pieces
from kanna.ops.shards import shards
from kanna.ops.tokenizer_files import tokenizer_files
from kanna.plan import Output, Plan

LEFTOVERS: Final = "leftovers.safetensors"
INDEX: Final = "model_index.json"
_MODEL: Final = "diffusion_model"
_FORMAT: Final = {"format": "pt"}  # transformers refuses a file that does not say so
SHARD_SIZE: Final = 10_000_000_000  # diffusers' own default


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """How a folder is made.

    `shard_size` is the most bytes of tensor data in a file. `tokenizers` is a folder to copy
    tokenizers from. `prediction` says what the model predicts where the file does not.
    `allow_missing` makes a folder that lacks components. `digest` has metadata hold the digest of
    the diffusion model's numbers where it held one.
    """

    shard_size: int = SHARD_SIZE
    tokenizers: Path | None = None
    prediction: str | None = None
    allow_missing: bool = False
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlannedFolder:
    """A folder to be made.

    `files` are plans and texts by path in the folder, in the order in which they are to appear.
    `others` are the names of pipelines that the model could make as well. `components` are the
    folders with weights, `missing` those that the file has nothing for, `referenced` those whose
    files are in the pipeline's repository only. `left` counts the tensors in `LEFTOVERS`.
    """

    pipeline: Pipeline
    others: tuple[str, ...]
    files: Mapping[str, Plan | bytes]
    components: tuple[str, ...]
    missing: tuple[str, ...]
    referenced: tuple[str, ...]
    left: int = 0
    notes: tuple[Note, ...] = field(default_factory=tuple)


def to_folder(
    pieces: Pieces, options: FolderOptions, inputs: Sequence[ModelFile] = ()
) -> PlannedFolder:
    """Return the folder that `pieces` make; `inputs` are the files they read, if not one.

    Raises:
        UnknownModel: no pipeline of diffusers is known for such a model.
        Incomplete: what it predicts is not known, or components are missing.
        Incompatible: a part is quantised, or its tensors do not fit together.
        UsageError: no scheduler fits the prediction that was asked for.
    """
    identity = _told(pieces.identity, options.prediction)
    pipeline, *others = _pipelines(identity)
    made = list(_made(pieces, pipeline))
    missing = _missing(pipeline, made)
    if missing and not options.allow_missing:
        raise Incomplete("diffusers.missing", path=identity.path, components=", ".join(missing),
                         repository=pipeline.repository)  # fmt: skip
    metadata = _metadata(pieces, pipeline, digest=options.digest)
    left = _left(pieces, made)
    files: dict[str, Plan | bytes] = {}
    models = tuple(inputs) or (pieces.model,)
    for one in made:
        files |= _component_files(one, metadata, models, options.shard_size)
    files |= _leftover_file(left, metadata, models, known=_MODEL in _parts(made))
    schedulers = _schedulers(pipeline, identity)
    files |= {f"{folder}/scheduler_config.json": text for folder, (_, text) in schedulers.items()}
    copied = _tokenizers(pipeline, options.tokenizers)
    files |= {f"{folder}/{n}": data for folder, held in copied.items() for n, data in held.items()}
    classes = {folder: class_name for folder, (class_name, _) in schedulers.items()}
    files[INDEX] = _text(pipeline.index(classes))
    referenced = tuple(name for name in _textual(pipeline) if name not in copied)
    return PlannedFolder(
        pipeline=pipeline,
        others=tuple(other.name for other in others),
        files=files,
        components=tuple(one.component.folder for one in made),
        missing=missing,
        referenced=referenced,
        left=len(left),
        notes=(*pieces.model.notes, *metadata.notes,
               *_notes(pipeline, others, made, missing, referenced, len(left))),
    )  # fmt: skip


def _told(identity: Identity, prediction: str | None) -> Identity:
    """Return `identity` with the prediction that a person told."""
    if prediction is None:
        return identity
    from kanna.identity import Prediction

    why = Note("diffusers.why_told", warning=False)
    return replace(identity, prediction=Prediction(type=prediction, certainty="certain", why=why))


def _pipelines(identity: Identity) -> tuple[Pipeline, ...]:
    architecture, variants = identity.architecture or "", identity.variant_candidates
    prediction = identity.prediction.type if identity.prediction else None
    found = pipelines_for(architecture, variants, prediction)
    if found:
        return found
    words = predictions_of(architecture, variants)
    if words and prediction is None:
        raise Incomplete("diffusers.no_prediction", path=identity.path, words=", ".join(words))
    if words:
        raise UsageError("diffusers.no_such_prediction", path=identity.path, prediction=prediction,
                         words=", ".join(words))  # fmt: skip
    what = " ".join(filter(None, (identity.architecture, identity.variant))) or identity.kind
    raise UnknownModel("diffusers.no_pipeline", path=identity.path, what=what)


def _made(pieces: Pieces, pipeline: Pipeline) -> Iterator[Made]:
    for component in pipeline.components:
        piece = None if component.part is None else pieces.of(component.part)
        made = None if piece is None else make_component(piece, component)
        if made is not None:
            yield made


def _missing(pipeline: Pipeline, made: Iterable[Made]) -> tuple[str, ...]:
    there = {one.component.folder for one in made}
    return tuple(one.folder for one in pipeline.components if one.part and one.folder not in there)


def _parts(made: Iterable[Made]) -> set[str | None]:
    return {one.component.part for one in made}


def _left(pieces: Pieces, made: Iterable[Made]) -> dict[str, TensorInfo]:
    """Return every tensor that no component took, by its full name, in the order of the file."""
    left: dict[str, TensorInfo] = dict(pieces.leftovers)
    taken = {one.component.part: one for one in made}
    for piece in pieces.pieces:
        left |= piece.beside
        one = taken.get(piece.word) or taken.get(piece.role)
        if one is not None and pieces.of(one.component.part or "") is piece:
            left |= one.left
        else:
            left |= {piece.names[name]: tensor for name, tensor in piece.tensors.items()}
    places = {name: place for place, name in enumerate(pieces.model)}
    return dict(sorted(left.items(), key=lambda item: places.get(item[0], len(places))))


def _metadata(pieces: Pieces, pipeline: Pipeline, *, digest: bool) -> Metadata:
    step = {"verb": "split", "input": pieces.model.path.name, "pipeline": pipeline.class_name}
    return extended(pieces.model.metadata, step, digest=digest)


def _component_files(
    made: Made, metadata: Metadata, inputs: tuple[ModelFile, ...], limit: int
) -> dict[str, Plan | bytes]:
    """Return config, weights and index of a component; the file's metadata goes with the model."""
    component = made.component
    assert component.model is not None  # nothing is made without
    main = component.part == _MODEL
    fields = {**(metadata.fields if main else _FORMAT), ORIGIN: made.origin}
    cut = shards(made.outputs, component.model.stem, limit)
    digests = metadata.digest_fields if main and cut.index is None else {}
    files: dict[str, Plan | bytes] = {"config.json": _text(made.config)}
    for name, outputs in cut.files.items():
        files[name] = _plan(outputs, inputs, fields, digests)
    if cut.index is not None:
        files[cut.index_name] = cut.index
    return {f"{component.folder}/{name}": file for name, file in files.items()}


def _leftover_file(
    left: Mapping[str, TensorInfo],
    metadata: Metadata,
    inputs: tuple[ModelFile, ...],
    *,
    known: bool,
) -> dict[str, Plan | bytes]:
    """Return the file of leftovers; where no diffusion model has it, it carries the metadata."""
    if not left:
        return {}
    outputs = [Output.of(tensor, name=name) for name, tensor in left.items()]
    return {LEFTOVERS: _plan(outputs, inputs, _FORMAT if known else metadata.fields, {})}


def _plan(
    outputs: Sequence[Output],
    inputs: tuple[ModelFile, ...],
    fields: Mapping[str, str],
    digests: Mapping[str, str],
) -> Plan:
    return Plan(outputs=tuple(outputs), container="safetensors", inputs=inputs,
                metadata=fields, digest_fields=digests)  # fmt: skip


def _schedulers(pipeline: Pipeline, identity: Identity) -> dict[str, tuple[str, bytes]]:
    """Return class and settings of every scheduler of the pipeline, by folder."""
    prediction = identity.prediction.type if identity.prediction else None
    found = {}
    for component in pipeline.components:
        if component.schedulers:
            one = scheduler_for(component.schedulers, prediction, identity.markers)
            if one is None:
                raise UsageError("diffusers.no_scheduler", path=identity.path,
                                 pipeline=pipeline.class_name, prediction=prediction)  # fmt: skip
            found[component.folder] = (one.class_name, _text(one.config))
    return found


def _tokenizers(pipeline: Pipeline, source: Path | None) -> dict[str, Mapping[str, bytes]]:
    return {} if source is None else tokenizer_files(source, _textual(pipeline))


def _textual(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the components without weights of their own: tokenizers and processors."""
    return tuple(one.folder for one in pipeline.components if _is_textual(one))


def _is_textual(component: Component) -> bool:
    return component.class_name is not None and component.part is None


def _notes(
    pipeline: Pipeline,
    others: Sequence[Pipeline],
    made: Sequence[Made],
    missing: Sequence[str],
    referenced: Sequence[str],
    left: int,
) -> Iterator[Note]:
    values = {"repository": pipeline.repository}
    if others:
        names = ", ".join(dict.fromkeys(other.name for other in others))
        yield Note("diffusers.others", {"taken": pipeline.name, "others": names})
    if missing:
        yield Note("diffusers.lacks", {**values, "components": ", ".join(missing)})
    if referenced:
        yield Note("diffusers.referenced", {**values, "components": ", ".join(referenced)})
    for one in made:
        for output in one.outputs:
            if not output.inputs:
                name = f"{one.component.folder}/{output.name}"
                yield Note("diffusers.identity", {"name": name}, warning=False)
    if left:
        yield Note("diffusers.left", {"count": left, "file": LEFTOVERS}, warning=False)


def _text(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
