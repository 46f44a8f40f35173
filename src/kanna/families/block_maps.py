"""Block maps as values: which beginnings of paths belong to which block of an architecture.

The tables are ``families/block_maps/*.toml``; ``unet.toml`` says how they are read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

_HERE: Final = Path(__file__).parent / "block_maps"
_NUMBER: Final = re.compile(r"\{([ijk])\}")
_RANGE: Final = re.compile(r"\{(\d+)\.\.(\d+)\}")
# No model has more blocks; a longer number is part of a stranger's name.
_DIGITS: Final = r"\\d{1,4}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathRow:
    """A beginning of paths, as whole segments, and the words of what stands under it."""

    pattern: re.Pattern[str]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foreign:
    """A list of numbers for another architecture `of`, whose words partly are the same.

    Models that have a list of `beside` numbers of their own take it.
    """

    of: str
    words: tuple[str, ...]
    beside: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockMap:
    """How the blocks of some architectures are counted; `rows` with the longest paths come first.

    Words in `order` may hold ``{i:02}``; `lists` and `depth` name them by the letters before it.
    The fine map, which is for models that have a list of `beside` numbers, has every word in
    `order` as it is.
    """

    layout: str = ""
    alike: tuple[str, ...] = ()
    rows: tuple[PathRow, ...] = ()
    order: tuple[str, ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    lists: tuple[tuple[str, ...], ...] = ()
    depth: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    foreign: tuple[Foreign, ...] = ()
    fine: BlockMap | None = None
    beside: int = 0

    def words_at(self, path: str) -> tuple[tuple[str, ...], dict[str, int]] | None:
        """Return the words for `path`, still to be filled with the numbers that follow; or None."""
        for row in self.rows:
            if match := row.pattern.match(path):
                return row.words, {key: int(value) for key, value in match.groupdict().items()}
        return None

    def words_of(self, role: str, variants: Iterable[str]) -> tuple[str, ...] | None:
        """Return the words of another part than the diffusion model, if the map says any."""
        return next((self.parts[key] for key in (*variants, role) if key in self.parts), None)


def stem(word: str) -> str:
    """Return the letters of a word before its number: ``IN`` of ``IN{i:02}``."""
    return word.partition("{")[0]


def map_of(architectures: Iterable[str | None]) -> BlockMap | None:
    """Return the map for the first of `architectures` that has one."""
    return next((_maps()[one] for one in architectures if one in _maps()), None)


@cache
def _maps() -> Mapping[str | None, BlockMap]:
    """Return every map by each of its architectures."""
    texts = (path.read_text("utf-8") for path in sorted(_HERE.glob("*.toml")))
    raws = [raw for text in texts for raw in tomllib.loads(text)["map"]]
    return {name: _map(raw) for raw in raws for name in raw["architectures"]}


def _map(raw: Mapping[str, Any]) -> BlockMap:
    order, depth = _expanded(raw["order"]), tuple(raw.get("depth", ()))
    letters = tuple(map(stem, order))
    usual = [tuple(one for one in letters if one != "VAE"), depth]
    return BlockMap(
        layout=raw.get("layout", ""), alike=tuple(raw.get("alike", ())),
        rows=_rows(raw["paths"]), order=order,
        parts={key: tuple(words) for key, words in raw.get("parts", {}).items()},
        lists=tuple(tuple(one) for one in raw.get("lists", usual)),
        depth=depth, start=raw.get("start"), end=raw.get("end"),
        foreign=tuple(
            Foreign(of=one["of"], words=_expanded(one["words"]), beside=one["beside"])
            for one in raw.get("foreign", ())
        ),
        fine=_map({**raw["fine"], "lists": ()}) if "fine" in raw else None,
        beside=raw.get("beside", 0),
    )  # fmt: skip


def _rows(paths: Mapping[str, Sequence[str]]) -> tuple[PathRow, ...]:
    longest_first = sorted(paths, key=lambda path: -path.count("."))
    return tuple(
        PathRow(pattern=_pattern(path), words=tuple(paths[path])) for path in longest_first
    )


def _pattern(path: str) -> re.Pattern[str]:
    """Return what finds `path` as whole segments at the beginning of a name."""
    places = _NUMBER.sub(rf"(?P<\1>{_DIGITS})", path.replace(".", r"\."))
    return re.compile(places + r"(?:\.|$)", re.ASCII)


def _expanded(words: Iterable[str]) -> tuple[str, ...]:
    """Return `words` with their ranges written out: ``IN{00..11}`` is twelve words."""
    found: list[str] = []
    for word in words:
        match = _RANGE.search(word)
        if match is None:
            found.append(word)
            continue
        first, last = match.groups()
        numbers = range(int(first), int(last) + 1)
        found += [_RANGE.sub(f"{number:0{len(first)}}", word, count=1) for number in numbers]
    return tuple(found)
