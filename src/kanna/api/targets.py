"""What a folder stands for where a verb takes files of weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from kanna.api.reading import StrPath
from kanna.disk import as_path, is_remote
from kanna.formats import MODEL_SUFFIXES
from kanna.scan import scan_targets
from kanna.scan.folders import files_in


def hash_targets(path: StrPath, *, recursive: bool = False) -> Iterator[Path]:
    """Yield what is to be hashed: `path` itself, or the files of weights in a folder.

    A model that is a folder is gone through whole. Links to folders are not followed.
    """
    path = as_path(path)
    if is_remote(path) or not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        yield path
        return
    for target in scan_targets(path, recursive=recursive):
        whole = files_in(target, recursive=True, whole=False) if target.is_dir() else [target]
        yield from (file for file in whole if file.suffix.lower() in MODEL_SUFFIXES)
