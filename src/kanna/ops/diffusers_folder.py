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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kanna.errors import Incompatible, Incomplete, UsageError
from kanna.families.pipelines import Component, Pipeline
from kanna.formats.folder import LEFTOVERS_FILE
from kanna.formats.weights import list_files
from kanna.identity import Identity
from kanna.metadata import Metadata, extended
from kanna.model import ModelFile, Note, TensorInfo
from kanna.ops import gguf
from kanna.ops.casting import Precision, fixed_tensors, outputs_of
from kanna.ops.dequantise import decoded_for, refuse_blocks
from kanna.ops.diffusers_choice import pipelines, schedulers, told
from kanna.ops.diffusers_component import Made, make_component, usual_dtype
from kanna.ops.diffusers_record import Home
from kanna.ops.draft import Draft
from kanna.ops.part_record import RECORD
from kanna.ops.parts import MODEL, Pieces, pieces
from kanna.ops.prune import drop_trainer_state, prune
from kanna.ops.shards import shards
from kanna.ops.tokenizer_files import tokenizer_files
from kanna.plan import Output, Plan

INDEX: Final = "model_index.json"
_WEIGHTS: Final = (".safetensors", ".bin", ".index.json", ".ckpt", ".pt", ".gguf", ".sft")
_FORMAT: Final = {"format": "pt"}  # transformers refuses a file that does not say so
SHARD_SIZE: Final = 10_000_000_000  # diffusers' own default


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """How a folder is made.

    `shard_size` is the most bytes of tensor data in a file. `tokenizers` is a folder to copy
    tokenizers from. `prediction` says what the model predicts where the file does not.
    `allow_missing` makes a folder that lacks components. `dtype`, `dtypes`, `prune` and `digest`
    are as those of `SplitOptions`.
    """

    shard_size: int = SHARD_SIZE
    tokenizers: Path | None = None
    prediction: str | None = None
    allow_missing: bool = False
    dtype: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    prune: bool = False
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlannedFolder:
    """A folder to be made.

    `files` are plans and texts by path in the folder, in the order in which they are to appear.
    `others` are the names of pipelines that the model could make as well. `components` are the
    folders with weights, `missing` those that the file has nothing for, `referenced` those whose
    files are in the pipeline's repository only. `left` counts the tensors in `LEFTOVERS_FILE`.
    """

    pipeline: Pipeline
    others: tuple[str, ...]
    files: Mapping[str, Plan | bytes]
    components: tuple[str, ...]
    missing: tuple[str, ...]
    referenced: tuple[str, ...]
    left: int
    notes: tuple[Note, ...]


def to_folder(model: ModelFile, identity: Identity, options: FolderOptions) -> PlannedFolder:
    """Return the folder that `model` makes.

    Raises:
        UnknownModel: no pipeline of diffusers is known for such a model.
        Incomplete: what it predicts is not known, or components are missing.
        Incompatible: it is such a folder already, a part is quantised and no dtype was asked for,
            or tensors do not fit.
        UsageError: an option makes no sense for it.
    """
    if model.container == "diffusers":
        raise Incompatible("diffusers.already", path=model.path)
    precision = Precision(options.dtype, options.dtypes)
    model, identity, decoded = decoded_for(model, identity, precision)
    draft = Draft.of(model, told(identity, options.prediction))
    draft.notes += decoded.values()
    if options.prune:
        prune(draft)
    drop_trainer_state(draft, keep=False)
    return _Folding(draft, precision, options).folder()


class _Folding:
    """One model on its way into a folder; `draft` has what is to be kept, and what is noted."""

    def __init__(self, draft: Draft, precision: Precision, options: FolderOptions) -> None:
        self._draft, self._options = draft, options
        self._model, self._identity = draft.model, draft.identity
        self._pieces = _kept(pieces(draft.model, draft.identity), draft.outputs)
        self._precision = precision
        self._fixed = fixed_tensors(self._model, self._identity)
        self._home = Home(list(self._model))
        self._pipeline, *self._others = pipelines(self._identity)

    def folder(self) -> PlannedFolder:
        """Return the whole folder.

        Raises:
            KannaError: as `to_folder`.
        """
        made = list(self._made())
        missing = self._missing(made)
        left, metadata = self._left(made), self._metadata()
        chosen = schedulers(self._pipeline, self._identity)
        copied = self._tokenizers()
        classes = {folder: one.class_name for folder, one in chosen.items()}
        files = {
            **{path: file for one in made for path, file in self._files(one, metadata)},
            **self._leftover_file(left),
            **{f"{at}/scheduler_config.json": _text(one.config) for at, one in chosen.items()},
            **{f"{at}/{n}": data for at, held in copied.items() for n, data in held.items()},
            INDEX: _text(self._pipeline.index(classes)),
        }
        referenced = tuple(name for name in _textual(self._pipeline) if name not in copied)
        self._tell(made, missing, referenced, left)
        return PlannedFolder(
            pipeline=self._pipeline,
            others=tuple(other.name for other in self._others),
            files=files,
            components=tuple(one.component.folder for one in made),
            missing=missing,
            referenced=referenced,
            left=len(left),
            notes=(*self._model.notes, *self._draft.notes, *metadata.notes),
        )

    def _made(self) -> Iterator[Made]:
        for component in self._pipeline.components:
            piece = None if component.part is None else self._pieces.of(component.part)
            if piece is not None and (made := make_component(piece, component)) is not None:
                yield made

    def _missing(self, made: Iterable[Made]) -> tuple[str, ...]:
        there = {one.component.folder for one in made}
        every = self._pipeline.components
        missing = tuple(one.folder for one in every if one.part and one.folder not in there)
        if missing and not self._options.allow_missing:
            raise Incomplete(
                "diffusers.missing", path=self._model.path, components=", ".join(missing),
                repository=self._pipeline.repository,
            )  # fmt: skip
        return missing

    def _left(self, made: Iterable[Made]) -> dict[str, TensorInfo]:
        """Return what no component took, by its full name, in the order of the file."""
        taken = {one.piece.names[name] for one in made for name in one.kept}
        return {
            name: self._model[name]
            for name in self._model
            if name in self._draft.outputs and name not in taken
        }

    def _metadata(self) -> Metadata:
        step = {"verb": "split", "input": self._model.path.name, **self._draft.done,
                "pipeline": self._pipeline.class_name}  # fmt: skip
        if cast := self._precision.to_json():
            step["dtype"] = cast
        own = gguf.own_fields(self._model.metadata)
        kept = {key: text for key, text in own.items() if key != RECORD}
        return extended(kept, step, digest=self._options.digest)

    def _files(self, made: Made, metadata: Metadata) -> Iterator[tuple[str, Plan | bytes]]:
        """Yield config, weights and index of a component; the model has the file's metadata."""
        main = made.component.part == MODEL
        dtype = self._precision.of(made.piece.role)
        outputs = outputs_of(made.tensors, dtype, self._fixed)
        usual = dtype or usual_dtype(made.tensors.values())
        if (identity := made.identity_output(usual)) is not None:
            outputs.append(identity)
        cut = shards(outputs, made.model.stem, self._options.shard_size)
        fields = {**(metadata.fields if main else _FORMAT), **self._home.of_component(made)}
        digests = metadata.digest_fields if main and cut.index is None else {}
        folder = made.component.folder
        yield f"{folder}/config.json", _text(made.config(usual))
        for name, held in cut.files.items():
            yield f"{folder}/{name}", self._plan(held, fields, digests)
        if cut.index is not None:
            yield f"{folder}/{cut.index_name}", cut.index

    def _leftover_file(self, left: Mapping[str, TensorInfo]) -> dict[str, Plan | bytes]:
        if not left:
            return {}
        fields = {**_FORMAT, **self._home.of_leftovers(left)}
        refuse_blocks(self._model, left)
        return {LEFTOVERS_FILE: self._plan(outputs_of(left, None), fields, {})}

    def _plan(
        self, outputs: Sequence[Output], fields: Mapping[str, str], digests: Mapping[str, str]
    ) -> Plan:
        return Plan(outputs=tuple(outputs), container="safetensors", inputs=(self._model,),
                    metadata=fields, digest_fields=digests)  # fmt: skip

    def _tokenizers(self) -> dict[str, Mapping[str, bytes]]:
        source = self._options.tokenizers
        return {} if source is None else tokenizer_files(source, _textual(self._pipeline))

    def _tell(
        self,
        made: Sequence[Made],
        missing: Sequence[str],
        referenced: Sequence[str],
        left: Mapping[str, TensorInfo],
    ) -> None:
        note, repository = self._draft.note, self._pipeline.repository
        if self._others:
            names = ", ".join(other.name for other in self._others)
            note("diffusers.others", warning=True, taken=self._pipeline.name, others=names)
        if missing:
            note("diffusers.lacks", warning=True, repository=repository,
                 components=", ".join(missing))  # fmt: skip
        if referenced:
            note("diffusers.referenced", warning=True, repository=repository,
                 components=", ".join(referenced))  # fmt: skip
        for one in made:
            if one.identity is not None:
                note("diffusers.identity", name=f"{one.component.folder}/{one.identity[0]}")
        if left:
            note("diffusers.left", count=len(left), file=LEFTOVERS_FILE)


def check_place(folder: Path, files: Collection[str]) -> None:
    """Refuse a folder with weights that its new `files` would not replace: readers take them, too.

    Raises:
        UsageError: there are such weights.
        Incomplete: the folder cannot be read.
    """
    if not folder.is_dir():
        return
    names, subfolders = list_files(folder)
    there = [*names, *(f"{sub}/{n}" for sub in subfolders for n in list_files(folder / sub)[0])]
    for name in there:
        if name not in files and name.endswith(_WEIGHTS):
            raise UsageError("diffusers.other_weights", path=folder, name=name)


def _kept(apart: Pieces, names: Mapping[str, object]) -> Pieces:
    """Return the pieces without the tensors that are not to be kept."""
    kept = []
    for piece in apart.pieces:
        tensors = {name: one for name, one in piece.tensors.items() if piece.names[name] in names}
        kept.append(replace(piece, tensors=tensors))
    return replace(apart, pieces=tuple(kept))


def _textual(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the components without weights of their own: tokenizers and processors."""
    return tuple(one.folder for one in pipeline.components if _is_textual(one))


def _is_textual(component: Component) -> bool:
    return component.class_name is not None and component.part is None


def _text(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
