"""Is this file safe? Clean, suspicious or dangerous, and exactly why.

::

    scan ─ checkpoints ─ zips, members     every pickle in a container, every byte between them
         │      └ pickles, uses, familiar  what a pickle names, calls and plants
         ├ headers                         safetensors, GGUF
         ├ folders                         model folders, indexes of shards
         └ around                          yaml, json and code beside them
    rules, values, report                  what is said, with stable codes

Clean means: read to the last byte by the readers that `inspect` and `convert` use, only globals
that are known, used as they are known. What could not be read is never clean. Nothing is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kanna.disk import InputFile, as_path, is_remote, open_input
from kanna.errors import Incomplete, KannaError, RemoteError
from kanna.formats import SAFE_SUFFIXES, recognise
from kanna.formats.wrong_content import explain, is_pointer_or_page
from kanna.model import Note
from kanna.scan.around import CODE, YAML, scan_code, scan_json, scan_sidecars, scan_yaml
from kanna.scan.checkpoints import scan_checkpoint
from kanna.scan.folders import (
    check_structure,
    files_in,
    folders_in,
    is_model_folder,
    shards,
)
from kanna.scan.headers import scan_gguf, scan_safetensors
from kanna.scan.members import examine_at, examine_loosely, has_zip_at_end
from kanna.scan.report import Report
from kanna.scan.rules import RULES as SCAN_RULES
from kanna.scan.rules import Rule
from kanna.scan.values import GlobalVerdict, Place, Scan, Threat, Verdict

__all__ = [
    "SCAN_RULES",
    "GlobalVerdict",
    "Place",
    "Rule",
    "Scan",
    "Threat",
    "Verdict",
    "scan",
    "scan_targets",
]

_HEAD: Final = 4096
StrPath = str | os.PathLike[str]


def scan(path: StrPath, *, deep: bool = False) -> Scan:
    """Judge a file or a folder.

    Args:
        path: a model file, an index of shards, a folder, or anything else.
        deep: compute the checksums of all members of a zip, which reads the weights.

    Raises:
        Incomplete: there is no such file.
        RemoteError: it is a URL, and its server cannot be reached or refuses.
    """
    path = as_path(path)
    report = Report(path)
    if is_remote(path):
        _scan_path(report, path, deep=deep, alone=True)
    elif os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        _scan_folder(report, path, deep=deep)
    else:
        if not os.path.lexists(path):
            raise Incomplete("disk.missing", path=path)
        _scan_path(report, path, deep=deep, alone=True)
    return report.scan()


def scan_targets(path: StrPath, *, recursive: bool = False) -> Iterator[Path]:
    """Yield what is to be scanned one by one: `path` itself, or the models in a folder of many.

    A model that is a folder counts as one. Links to folders are not followed.
    """
    path = as_path(path)
    if is_remote(path) or not os.path.isdir(path) or is_model_folder(path):  # noqa: PTH112
        yield path
        return
    yield from files_in(path, recursive=False, whole=False)
    if recursive:
        for folder in folders_in(path):
            yield from scan_targets(folder, recursive=True)


def _scan_folder(report: Report, folder: Path, *, deep: bool) -> None:
    whole = is_model_folder(folder)
    if whole:
        report.container = "diffusers"
        check_structure(report, folder)
    for path in files_in(folder, recursive=True, whole=whole):
        _scan_path(report, path, deep=deep, alone=False)
    if not report.files:
        report.what = Note("scan.no_models", {"path": folder})


def _scan_path(report: Report, path: Path, *, deep: bool, alone: bool) -> None:
    try:
        file = open_input(path)
    except RemoteError:
        raise
    except KannaError as error:
        report.add_error(error, Place(path=path))
        report.what = report.what or Note(error.key, error.values)
        return
    what = report.what
    try:
        report.files.append(path)
        report.size += file.size
        _scan_file(report, file, deep=deep, alone=alone)
    except KannaError as error:  # the disk fails, or somebody cuts the file short meanwhile
        report.add_error(error, Place(path=path))
    finally:
        file.close()
    if alone:
        scan_sidecars(report, path)
    else:  # one file of many does not say what the whole is
        report.what = what


def _scan_file(report: Report, file: InputFile, *, deep: bool, alone: bool) -> None:
    found = recognise(file.read(0, min(file.size, _HEAD)))
    suffix = file.path.suffix.lower()
    if found == "safetensors":
        scan_safetensors(report, file)
    elif found == "gguf":
        scan_gguf(report, file)
    elif found == "checkpoint":
        if suffix in SAFE_SUFFIXES:
            note = Note("scan.ks207_is", {"suffix": suffix})
            report.add("KS207", note, Place(path=file.path))
        scan_checkpoint(report, file, deep=deep)
    elif found == "index" and suffix == ".json":
        _scan_index(report, file, deep=deep, alone=alone)
    else:
        _scan_other(report, file, suffix)


def _scan_index(report: Report, file: InputFile, *, deep: bool, alone: bool) -> None:
    report.accounted += file.size
    check_structure(report, file.path)
    if alone:
        for path in shards(file):
            _scan_path(report, path, deep=deep, alone=False)


def _scan_other(report: Report, file: InputFile, suffix: str) -> None:
    """Scan what no reader of models takes; under any name it may be a pickle."""
    examine_at(report, file, 0, 0, Place(path=file.path, offset=0))
    page = is_pointer_or_page(file)
    if suffix in YAML and not page:
        report.accounted += file.size
        scan_yaml(report, file)
        report.what = report.what or Note("scan.is_yaml")
        return
    if suffix == ".json" and not page:
        scan_json(report, file)
        report.what = report.what or Note("scan.is_json")
        return
    if suffix in CODE:
        scan_code(report, file)
        report.what = report.what or Note("scan.is_code")
        return
    error = explain(file)
    report.add_error(error, Place(path=file.path))
    report.what = report.what or Note(error.key, error.values)
    if has_zip_at_end(file):
        report.add("KS209", Note("scan.ks209_zip"), Place(path=file.path))
        examine_loosely(report, file)
