"""Fold a list of tensors into the lines of a family table.

For developers: ``python tools/fold_keys.py HEADER.json [PREFIX]`` reads the JSON header of a
safetensors file (``{name: {"dtype": …, "shape": […]}}``) or ``{"tensors": {name: [dtype, shape]}}``
and prints folded lines of all tensors under PREFIX; `kanna.families.keys.expand_lines` undoes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

Key = tuple[frozenset[str], ...]
Shape = tuple[int, ...]


def fold(shapes: Mapping[str, Shape]) -> list[str]:
    """Return lines that stand for exactly the names and shapes of `shapes`."""
    groups: dict[tuple[int, Shape], list[Key]] = {}
    for name, shape in _paired(shapes).items():
        key = tuple(frozenset((word,)) for word in name.split("."))
        groups.setdefault((len(key), shape), []).append(key)
    lines = [
        (key, f"{'.'.join(map(_written, key))} [{','.join(map(str, shape))}]")
        for (_, shape), keys in groups.items()
        for key in _merged(keys)
    ]
    return [line for _, line in sorted(lines, key=lambda pair: _order(pair[0]))]


def _paired(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Join ``x.weight`` and ``x.bias`` to ``x.*`` where the bias has the weight's first size."""
    joined: dict[str, Shape] = {}
    for name, shape in shapes.items():
        base, _, last = name.rpartition(".")
        weight, bias = shapes.get(f"{base}.weight"), shapes.get(f"{base}.bias")
        if last in {"weight", "bias"} and weight is not None and bias == weight[:1] != ():
            joined[f"{base}.*"] = weight
        else:
            joined[name] = shape
    return joined


def _merged(keys: list[Key]) -> list[Key]:
    """Join keys that differ in one word only, again and again, until none do."""
    size = len(keys[0])
    orders = (range(size), range(size - 1, -1, -1))
    return min((_merged_in(list(keys), order) for order in orders), key=len)


def _merged_in(keys: list[Key], order: range) -> list[Key]:
    before = 0
    while before != len(keys):
        before = len(keys)
        for place in order:
            joined: dict[tuple[Key, Key], frozenset[str]] = {}
            for key in keys:
                rest = (key[:place], key[place + 1 :])
                joined[rest] = joined.get(rest, frozenset()) | key[place]
            keys = [(*head, words, *tail) for (head, tail), words in joined.items()]
    return keys


def _written(words: frozenset[str]) -> str:
    if len(words) == 1:
        return next(iter(words))
    numbers = sorted(int(word) for word in words if word.isdecimal())
    parts: list[str] = []
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            run = numbers[start:end]
            parts += map(str, run) if len(run) < 3 else [f"{run[0]}..{run[-1]}"]
            start = end
    return "{" + ",".join(parts + sorted(word for word in words if not word.isdecimal())) + "}"


def _order(key: Key) -> list[tuple[int, str]]:
    firsts = (min(words, key=lambda word: (len(word), word)) for words in key)
    return [(int(word) if word.isdecimal() else 0, word) for word in firsts]


def read_shapes(path: Path, prefix: str = "") -> dict[str, Shape]:
    """Return name to shape of all tensors of the header at `path` that start with `prefix`."""
    header = json.loads(path.read_text(encoding="utf-8"))
    entries = header.get("tensors", header)
    shapes = {
        name: tuple(entry["shape"] if isinstance(entry, dict) else entry[1])
        for name, entry in entries.items()
        if name != "__metadata__" and name.startswith(prefix)
    }
    return {name.removeprefix(prefix): shape for name, shape in shapes.items()}


if __name__ == "__main__":
    print("\n".join(fold(read_shapes(Path(sys.argv[1]), *sys.argv[2:3]))))
