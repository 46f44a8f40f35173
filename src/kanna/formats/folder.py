"""Model folders in the diffusers layout: one subfolder per component, opened as one model.

A tensor is called ``component.key``, such as ``unet.conv_in.weight``. Configurations are read as
data; code in the folder is pointed out and never run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kanna.disk import InputFile
from kanna.errors import FormatError, Incomplete
from kanna.formats import open_file, strict_json
from kanna.formats.sharded import neighbour
from kanna.formats.weights import Weights, find_weights, list_files
from kanna.model import ModelFile, Note, TensorInfo

_CONFIG_LIMIT: Final = 4_000_000
_CONFIGS: Final = ("config.json", "scheduler_config.json")
_INDEX: Final = "model_index.json"
LEFTOVERS_FILE: Final = "leftovers.safetensors"  # what kanna could put into no component


@dataclass(frozen=True, slots=True)
class _Part:
    """One component's folder: its files, and the weights and the configuration among them."""

    name: str
    files: list[str]
    weights: Weights | None
    config: Mapping[str, object] | None

    @classmethod
    def of(cls, folder: Path) -> _Part:
        files, _ = list_files(folder)
        config = next((name for name in _CONFIGS if name in files), None)
        return cls(
            folder.absolute().name,
            files,
            find_weights(folder, files),
            _read_json(folder, config) if config else None,
        )


def open_folder(folder: Path) -> ModelFile:
    """Open a diffusers folder, one component of it, or a folder with one set of shards.

    Raises:
        Incomplete: weights, a shard or an index are missing, or the folder cannot be read.
        FormatError: it is no model folder, or one of its files is broken.
        UnsafeFile: a file is not what its name says, or a link leads out of the folder.
    """
    files, subfolders = list_files(folder)
    if _INDEX not in files and find_weights(folder, files):
        return _open_single(folder)
    index = _read_json(folder, _INDEX) if _INDEX in files else {}
    names = [name for name in (*index, *subfolders) if name in subfolders and name.isidentifier()]
    parts = [_Part.of(neighbour(folder, name)) for name in dict.fromkeys(names)]
    if not any(part.weights for part in parts):
        error = Incomplete if index else FormatError
        raise error("formats.folder_no_weights", path=folder)
    scripts = [*files, *(f"{part.name}/{name}" for part in parts for name in part.files)]
    notes = (*_code(scripts), *_absent(index, parts))
    return _joined(folder, parts, index, notes, left=bool(index) and LEFTOVERS_FILE in files)


def _open_single(folder: Path) -> ModelFile:
    part = _Part.of(folder)
    (model,) = _open_parts([part]).values()
    return replace(
        model,
        path=folder,
        extras=MappingProxyType({**model.extras, "configs": {part.name: part.config or {}}}),
        notes=(*_code(part.files), *model.notes),
    )


def _open_parts(parts: list[_Part]) -> dict[str, ModelFile]:
    models: dict[str, ModelFile] = {}
    with ExitStack() as opened:
        for part in parts:
            if part.weights:
                model = opened.enter_context(open_file(part.weights.path))
                notes = _about(part.name, part.weights, model.container)
                models[part.name] = replace(model, notes=(*notes, *model.notes))
        opened.pop_all()
    return models


def _joined(
    folder: Path,
    parts: list[_Part],
    index: Mapping[str, object],
    notes: tuple[Note, ...],
    *,
    left: bool,
) -> ModelFile:
    """Return all components as one model, and what is `left` beside them."""
    models = _open_parts(parts)
    beside = _open_leftovers(folder, models) if left else None
    told = {**models, LEFTOVERS_FILE: beside} if beside else models
    configs = {part.name: part.config for part in parts if part.config is not None}
    tensors: dict[str, TensorInfo] = {}
    refused: dict[str, Note] = {}
    for component, model in models.items():
        for key, tensor in model.tensors.items():
            name = f"{component}.{key}"
            tensors[name] = TensorInfo(name, tensor.dtype, tensor.shape, tensor.data)
        refused |= {f"{component}.{key}": note for key, note in model.refused.items()}
    files = tuple(file for model in told.values() for file in model.files)
    return ModelFile(
        path=folder,
        container="diffusers",
        size=sum(file.size for file in files),
        tensors=MappingProxyType(tensors),
        files=files,
        extras=MappingProxyType({"model_index": index, "configs": configs, **_told(told)}),
        beside=beside.tensors if beside else MappingProxyType({}),
        refused=MappingProxyType(refused),
        notes=(*notes, *(note for model in models.values() for note in model.notes)),
    )


def _told(models: Mapping[str, ModelFile]) -> dict[str, object]:
    """Return what the components and the leftovers say about themselves, by folder and file.

    There is nothing to tell where that is their format alone.
    """
    metadata = {name: dict(model.metadata) for name, model in models.items()}
    plain = all(fields.keys() <= {"format"} for fields in metadata.values())
    return {} if plain else {"component_metadata": metadata}


def _open_leftovers(folder: Path, models: Mapping[str, ModelFile]) -> ModelFile:
    with ExitStack() as opened:
        for model in models.values():
            opened.push(model)
        beside = open_file(neighbour(folder, LEFTOVERS_FILE), among=("safetensors",))
        opened.pop_all()
    return beside


def _about(component: str, weights: Weights, container: str) -> Iterator[Note]:
    values = {"component": component, "taken": weights.path.name}
    if weights.others:
        others = ", ".join(weights.others)
        yield Note("formats.folder_choice", {**values, "others": others}, warning=False)
    if container.startswith("ckpt"):
        yield Note("formats.folder_pickle", values)


def _code(names: Iterable[str]) -> tuple[Note, ...]:
    scripts = ", ".join(name for name in names if name.endswith(".py"))
    return (Note("formats.folder_code", {"names": scripts}),) if scripts else ()


def _absent(index: Mapping[str, object], parts: list[_Part]) -> Iterator[Note]:
    """Yield a note for every component that the index names and the folder does not hold."""
    present = {part.name for part in parts if part.weights or "config.json" not in part.files}
    for name, entry in index.items():
        named = isinstance(entry, list) and all(isinstance(word, str) for word in entry)
        if named and name not in present:
            yield Note("formats.folder_absent", {"component": name})


def _read_json(folder: Path, name: str) -> dict[str, object]:
    file = InputFile(neighbour(folder, name))
    try:
        return strict_json.load(file, limit=_CONFIG_LIMIT)
    finally:
        file.close()
