"""Which file of a folder holds its weights.

Model folders carry the same weights several times: in fp16 and fp32, as safetensors and as
pickles, whole and in shards. Names follow diffusers (``diffusion_pytorch_model``) and transformers
(``model``, ``pytorch_model``): ``stem[.variant].container`` or an index
``stem.container.index[.variant].json``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.errors import Incomplete
from kanna.formats.sharded import neighbour

_STEM: Final = r"(?:diffusion_pytorch_model|pytorch_model|model)"
_WEIGHTS: Final = re.compile(
    rf"{_STEM}(?:\.(?P<variant>\w+))?\.(?P<container>safetensors|bin)"
    r"(?P<index>\.index(?:\.(?P<late>\w+))?\.json)?"
)
_SHARD: Final = re.compile(rf"{_STEM}[.\w]*-\d{{5}}-of-\d{{5}}[.\w]*\.(?:safetensors|bin)")


@dataclass(frozen=True, slots=True)
class Weights:
    """The file to read, and the files beside it that hold weights too and are not read."""

    path: Path
    others: tuple[str, ...] = ()


def find_weights(folder: Path, names: list[str]) -> Weights | None:
    """Choose among the files `names` of `folder`, or return None where none holds weights.

    safetensors come before pickles, the plain file before a variant such as ``fp16``, a whole file
    before shards. Files of other names are taken only beside a ``config.json``, where one is alone.

    Raises:
        Incomplete: there are shards and no index.
        UnsafeFile: the file is a link out of the folder.
    """
    matches = {name: match for name in names if (match := _WEIGHTS.fullmatch(name))}
    ranked = sorted(matches, key=lambda name: _rank(matches[name]))
    if not ranked:
        if shard := next((name for name in names if _SHARD.fullmatch(name)), None):
            raise Incomplete("formats.index_missing", path=folder, shard=shard)
        ranked = [name for name in names if name.endswith((".safetensors", ".sft"))]
        if len(ranked) != 1 or "config.json" not in names:
            return None
    taken, *others = ranked
    return Weights(neighbour(folder, taken), tuple(others))


def _rank(match: re.Match[str]) -> tuple[bool, bool, bool, str]:
    variant = match["variant"] or match["late"]
    return match["container"] == "bin", variant is not None, match["index"] is not None, match[0]


def list_files(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the files and of the folders in `folder`, each sorted.

    Raises:
        Incomplete: the folder cannot be read.
    """
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if entry.is_dir() else files).append(entry.name)
    except OSError as error:
        raise Incomplete("disk.unreadable", path=folder, reason=error.strerror) from error
    return sorted(files), sorted(folders)
