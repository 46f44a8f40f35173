"""Sharded models: an ``*.index.json`` that says which tensor lies in which file beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kanna.disk import InputFile, is_remote
from kanna.errors import FormatError, Incomplete, UnsafeFile
from kanna.formats import open_file, strict_json
from kanna.model import ModelFile, Note

_INDEX_LIMIT: Final = 32_000_000
_MOST_SHARDS: Final = 10_000
_SHARD_FORMATS: Final = ("safetensors", "checkpoint")
_SEPARATORS: Final = frozenset("/\\:\0")  # of every system, wherever the index was written


def open_index(file: InputFile) -> ModelFile:
    """Open all shards that the index in `file` names, as one model in the order of the index.

    Raises:
        Incomplete: a shard, or a tensor that the index promises, is missing.
        FormatError: index or shards break the rules of their format, or disagree.
        UnsafeFile: the index names a file outside its folder.
    """
    weight_map = _weight_map(file.path, strict_json.load(file, limit=_INDEX_LIMIT))
    names = tuple(dict.fromkeys(weight_map.values()))
    if len(names) > _MOST_SHARDS:
        raise FormatError("formats.too_many_shards", path=file.path, count=len(names))
    paths = {name: neighbour(file.path.parent, name) for name in names}
    # a server says that a shard is missing when it is opened
    missing = [
        name
        for name, path in paths.items()
        if not (is_remote(path) or os.path.isfile(path))  # noqa: PTH113
    ]
    if missing:
        raise Incomplete(
            "formats.shard_missing",
            path=file.path,
            shard=missing[0],
            missing=len(missing),
            total=len(names),
        )
    with ExitStack() as opened:
        shards = {
            name: opened.enter_context(open_file(path, among=_SHARD_FORMATS))
            for name, path in paths.items()
        }
        _check_map(file.path, weight_map, shards)
        opened.pop_all()
    return _joined(file, weight_map, shards)


def neighbour(folder: Path, name: str) -> Path:
    """Return the path of the file or folder called `name` in `folder`.

    Links may lead elsewhere inside the folder, and in a Hugging Face cache to the files of the
    same repository; no other link is followed.

    Raises:
        UnsafeFile: the name or a link leads out of the folder.
    """
    if is_remote(folder) and is_plain(name):
        return folder / name
    root = Path(os.path.realpath(folder))
    if not is_plain(name) or not Path(os.path.realpath(root / name)).is_relative_to(_home(root)):
        raise UnsafeFile("formats.leads_outside", path=folder, name=name)
    return folder / name


def is_plain(name: str) -> bool:
    """Whether a name can only be that of a file in the same folder, on any system."""
    return name not in ("", ".", "..") and _SEPARATORS.isdisjoint(name)


def _home(folder: Path) -> Path:
    for parent in folder.parents:
        if parent.name == "snapshots" and (parent.parent / "blobs").is_dir():
            return parent.parent
    return folder


def _weight_map(path: Path, index: Mapping[str, object]) -> dict[str, str]:
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise FormatError("formats.index_map", path=path)
    if not all(isinstance(shard, str) for shard in weight_map.values()):
        raise FormatError("formats.index_map", path=path)
    return weight_map


def _check_map(path: Path, weight_map: Mapping[str, str], shards: Mapping[str, ModelFile]) -> None:
    promised: dict[str, set[str]] = {name: set() for name in shards}
    for tensor, name in weight_map.items():
        promised[name].add(tensor)
    for name, shard in shards.items():
        held = {*shard.tensors, *shard.refused}
        if lost := promised[name] - held:
            raise Incomplete(
                "formats.shard_lacks", path=path, shard=name, tensor=min(lost), count=len(lost)
            )
        if extra := held - promised[name]:
            raise FormatError(
                "formats.shard_extra", path=path, shard=name, tensor=min(extra), count=len(extra)
            )


def _joined(
    file: InputFile, weight_map: Mapping[str, str], shards: Mapping[str, ModelFile]
) -> ModelFile:
    parts = tuple(shards.values())
    pickled = [part for part in parts if part.container != "safetensors"]
    files = (file, *(opened for part in parts for opened in part.files))
    return ModelFile(
        path=file.path,
        container=pickled[0].container if pickled else "sharded-safetensors",
        size=sum(opened.size for opened in files),
        tensors=MappingProxyType(
            {
                name: shards[where][name]
                for name, where in weight_map.items()
                if name in shards[where]
            }
        ),
        files=files,
        metadata=parts[0].metadata,
        refused=MappingProxyType({k: v for part in parts for k, v in part.refused.items()}),
        notes=(
            *(Note("formats.pickled_shard", {"name": part.path.name}) for part in pickled),
            *(note for part in parts for note in part.notes),
        ),
    )
