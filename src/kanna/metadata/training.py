"""What kohya's trainers wrote into a file, as values for people.

Nothing here is believed: a field that is not what it should be is left out.
Source: kohya-ss/sd-scripts train_network.py; `fields.toml` says which fields people read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from kanna.metadata.tables import table

_LONGEST_JSON: Final = 20_000_000
_EMPTY: Final = {"", "None", "null", "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A folder of training pictures: how many, and how often each was shown in an epoch."""

    name: str
    images: int
    repeats: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a file tells of its training.

    `facts` are the fields that people read, by name and as text. `tags` are captions and how often
    they were seen, the most frequent first; `datasets` are folders of pictures, `buckets` sizes of
    pictures and how many had them.
    """

    facts: Mapping[str, str]
    tags: tuple[tuple[str, int], ...] = ()
    datasets: tuple[Dataset, ...] = ()
    buckets: tuple[tuple[str, int], ...] = ()


def read_training(metadata: Mapping[str, str]) -> Training | None:
    """Return what `metadata` tells of a training, or None where it tells nothing."""
    facts = {}
    for row in table("fields")["trained"]:
        value = metadata.get(row["field"], "").strip()
        text = _SHAPES[row["shape"]](value) if value not in _EMPTY else None
        if text:
            facts[row["field"]] = text
    training = Training(
        facts=facts,
        tags=tuple(_tags(metadata).most_common()),
        datasets=tuple(_datasets(metadata)),
        buckets=tuple(_buckets(metadata).most_common()),
    )
    return training if facts or training.tags or training.datasets else None


def parsed(text: str) -> Any:
    """Return JSON text as a value, or None where it is none."""
    if len(text) > _LONGEST_JSON:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _tags(metadata: Mapping[str, str]) -> Counter[str]:
    """Count the tags of all folders."""
    total: Counter[str] = Counter()
    folders = parsed(metadata.get("ss_tag_frequency", ""))
    for tags in folders.values() if isinstance(folders, dict) else ():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if type(count) is int and count > 0 and tag.strip():
                total[tag.strip()] += count
    return total


def _datasets(metadata: Mapping[str, str]) -> Iterator[Dataset]:
    """Yield the folders: of DreamBooth's form, or of the form with several data sets."""
    folders = parsed(metadata.get("ss_dataset_dirs", ""))
    if isinstance(folders, dict):
        for name, row in folders.items():
            yield from _dataset(name, row, "n_repeats")
        return
    listed = parsed(metadata.get("ss_datasets", ""))
    for one in listed if isinstance(listed, list) else ():
        subsets = one.get("subsets") if isinstance(one, dict) else None
        for row in subsets if isinstance(subsets, list) else ():
            name = row.get("image_dir") if isinstance(row, dict) else None
            yield from _dataset(name if isinstance(name, str) else "", row, "num_repeats")


def _dataset(name: str, row: object, repeats: str) -> Iterator[Dataset]:
    if isinstance(row, dict) and type(row.get("img_count")) is int:
        times = row.get(repeats)
        yield Dataset(name=name, images=row["img_count"],
                      repeats=times if type(times) is int else None)  # fmt: skip


def _buckets(metadata: Mapping[str, str]) -> Counter[str]:
    total: Counter[str] = Counter()
    info = parsed(metadata.get("ss_bucket_info", ""))
    rows = info.get("buckets") if isinstance(info, dict) else None
    for row in rows.values() if isinstance(rows, dict) else ():
        sides = row.get("resolution") if isinstance(row, dict) else None
        whole = isinstance(sides, list) and len(sides) == 2 and all(type(s) is int for s in sides)
        if whole and isinstance(sides, list) and type(row.get("count")) is int:
            total[f"{sides[0]}x{sides[1]}"] += row["count"]
    return total


def _number(value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return f"{number:g}" if abs(number) < 1e6 else value


def _time(value: str) -> str | None:
    try:
        return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return None


def _size(value: str) -> str | None:
    """Return ``(1024, 1024)``, as Python writes a tuple, as a size."""
    numbers = re.findall(r"\d+", value)
    return "x".join(numbers[:2] if len(numbers) > 1 else numbers * 2) or None


def _pairs(value: str) -> str | None:
    found = parsed(value)
    if not isinstance(found, dict):
        return value
    return ", ".join(f"{name}={word}" for name, word in found.items()) or None


# How a field of each shape reads.
_SHAPES: Final[Mapping[str, Callable[[str], str | None]]] = MappingProxyType({
    "text": lambda value: value, "number": _number, "time": _time, "size": _size, "pairs": _pairs,
})  # fmt: skip
