"""Model folders and indexes of shards: every file in them that a program would load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kanna.disk import InputFile, open_input
from kanna.errors import Incomplete, KannaError, UnsafeFile
from kanna.formats import MODEL_SUFFIXES, open_model, recognise, strict_json
from kanna.formats.sharded import is_plain
from kanna.formats.weights import find_weights, list_files
from kanna.model import Note
from kanna.scan.around import CODE, YAML
from kanna.scan.values import Place

if TYPE_CHECKING:
    from kanna.scan.report import Report

_INDEX: Final = "model_index.json"
_CONFIG: Final = "config.json"
_STEMS: Final = ("diffusion_pytorch_model", "pytorch_model")
_HEAD: Final = 64 << 10
_CONFIG_WORDS: Final = (b"target", b"!")  # a class of Stable Diffusion, or a tag
_MAX_FILES: Final = 20_000
_INDEX_LIMIT: Final = 32_000_000
# Names of what programs load weights, settings or code from. Everything else is looked into.
_MODELS: Final = (
    *MODEL_SUFFIXES, ".pkl", ".pickle", ".p", ".joblib", ".dill", ".npy", ".npz", ".h5", ".hdf5",
    ".keras", ".onnx", ".msgpack", ".th", ".t7", ".mar", ".pdparams", ".zip", ".7z", ".rar", ".tar",
    ".gz",
)  # fmt: skip
# They hold text or pieces of words; many begin like something else.
_NEVER: Final = (".txt", ".md", ".jsonl", ".csv", ".html", ".log", ".sha256", ".gitattributes")


def is_model_folder(folder: Path) -> bool:
    """Whether a folder is one model: of diffusers, or one component of that."""
    try:
        files, _ = list_files(folder)
        told = _CONFIG in files or any(name.startswith(_STEMS) for name in files)
        return _INDEX in files or (told and find_weights(folder, files) is not None)
    except Incomplete:
        return True  # shards without their index
    except UnsafeFile:
        return True
    except KannaError:
        return False


def check_structure(report: Report, path: Path) -> None:
    """Open a folder or an index as the readers do, and note why they refuse."""
    try:
        model = open_model(path)
    except KannaError as error:
        place = Place(path=Path(error.path or path))
        if error.key == "formats.leads_outside" and not _names_outside(error):
            report.add("KS303", Note(error.key, error.values), place)
        elif error.key != "checkpoint.only_code":
            report.add_error(error, place)
        return
    report.container = report.container or model.container
    model.close()


def _names_outside(error: KannaError) -> bool:
    """Whether a name itself leads out, which no accident does; a link may have a reason."""
    return not is_plain(str(error.values.get("name")))


def shards(file: InputFile) -> Iterator[Path]:
    """Yield the files that an index of shards names and that lie beside it."""
    try:
        weight_map = strict_json.load(file, limit=_INDEX_LIMIT).get("weight_map")
    except KannaError:
        return
    names = weight_map.values() if isinstance(weight_map, dict) else ()
    for name in dict.fromkeys(name for name in names if type(name) is str):
        if is_plain(name) and os.path.lexists(file.path.parent / name):
            yield file.path.parent / name


def files_in(folder: Path, *, recursive: bool, whole: bool) -> Iterator[Path]:
    """Yield the files of a folder that could be models, in the order of their names.

    Args:
        folder: the folder.
        recursive: whether to descend; links to folders are not followed.
        whole: whether the folder is one model, whose settings and code are loaded with it.
    """
    count = 0
    for parent, folders, files in os.walk(folder):
        folders.sort()
        if not recursive:
            folders.clear()
        for name in sorted(files):
            path = Path(parent, name)
            if _is_candidate(path, whole=whole):
                yield path
                count += 1
                if count >= _MAX_FILES:
                    return


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in `folder` that are no links."""
    try:
        names = list_files(folder)[1]
    except KannaError:
        return []
    return [folder / name for name in names if not (folder / name).is_symlink()]


def _is_candidate(path: Path, *, whole: bool) -> bool:
    suffix = path.suffix.lower()
    if suffix in _MODELS or path.name.endswith(".index.json"):
        return True
    if whole and (suffix in CODE or suffix in YAML):
        return True
    if suffix == ".json":
        return whole and (path.name == _INDEX or "config" in path.name)
    return suffix not in _NEVER and _looks_like_one(path, config=suffix in YAML)


def _looks_like_one(path: Path, *, config: bool) -> bool:
    """Whether a file is a model by its content, or the configuration of one."""
    try:
        file = open_input(path)
    except KannaError:
        return False
    try:
        head = file.read(0, min(file.size, _HEAD))
    except KannaError:
        return False
    finally:
        file.close()
    if config:
        return any(word in head for word in _CONFIG_WORDS)
    return recognise(head) in ("safetensors", "checkpoint", "gguf")
