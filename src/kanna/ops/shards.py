"""Weights in shards, as diffusers and transformers write them: files of a size, and an index.

Source of names, order and index: huggingface_hub ``serialization/_base.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kanna.errors import UsageError
from kanna.plan import Output

_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shards:
    """What lies in which file; `index` is the text of the index, None where one file is enough."""

    files: Mapping[str, tuple[Output, ...]]
    index_name: str
    index: bytes | None


def parse_size(word: str) -> int:
    """Return the bytes that a size such as ``5GB`` or ``500MiB`` means.

    Raises:
        UsageError: it is no size, or less than a byte.
    """
    match = _SIZE.fullmatch(word.strip())
    base = 1024 if match and match[3] else 1000
    size = int(float(match[1]) * base ** _POWERS[match[2].upper()]) if match else 0
    if size < 1:
        raise UsageError("diffusers.shard_size", word=word)
    return size


def shards(outputs: Sequence[Output], stem: str, limit: int) -> Shards:
    """Return `outputs` in files called `stem`, of at most `limit` bytes of data each.

    A tensor that is larger has a file of its own.
    """
    groups = _groups(outputs, limit)
    count = len(groups)
    names = [f"{stem}-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]
    files = dict(zip(names if count > 1 else [f"{stem}.safetensors"], groups, strict=True))
    index = {
        "metadata": {"total_size": sum(output.nbytes for output in outputs)},
        "weight_map": {output.name: name for name, group in files.items() for output in group},
    }
    text = json.dumps(index, indent=2) + "\n"  # in the order of the files, which readers keep
    return Shards(
        files=files,
        index_name=f"{stem}.safetensors.index.json",
        index=text.encode() if count > 1 else None,
    )


def _groups(outputs: Sequence[Output], limit: int) -> list[tuple[Output, ...]]:
    groups: list[tuple[Output, ...]] = []
    group: list[Output] = []
    size = 0
    for output in outputs:
        if output.nbytes > limit:
            groups.append((output,))
            continue
        if size + output.nbytes > limit:
            groups.append(tuple(group))
            group, size = [], 0
        group.append(output)
        size += output.nbytes
    return [*groups, tuple(group)] if group or not groups else groups
