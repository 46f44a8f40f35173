"""Presets of block weights: named curves over the blocks; the table is ``presets.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import cos, pi
from pathlib import Path
from typing import Any, Final

from kanna.errors import UsageError

_TABLE: Final = Path(__file__).parent / "presets.toml"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preset:
    """One curve; what its fields mean stands in the table."""

    name: str
    polynomial: tuple[float, ...] = ()
    cosine: bool = False
    pieces: tuple[tuple[float, float], ...] = ()
    repeat: int = 1
    times: int = 1
    reversed: bool = False
    first: float | None = None
    base: bool = False

    def at(self, step: int, steps: int) -> float:
        """Return the number of block `step` of `steps`."""
        if self.first is not None and step == 0:
            value = self.first
        elif self.pieces:
            value = self._piece((step + 0.5) / steps)
        else:
            way = _folded(self.repeat * step / max(steps - 1, 1))
            value = _folded(self.times * self._curve(way)) if self.times > 1 else self._curve(way)
        return 1 - value if self.reversed else value

    def _curve(self, way: float) -> float:
        if self.cosine:
            return (1 + cos(pi * way)) / 2
        return sum(factor * way**power for power, factor in enumerate(self.polynomial))

    def _piece(self, way: float) -> float:
        """Return the number of the piece that the middle of a block lies in."""
        end, whole = 0.0, sum(share for share, _ in self.pieces)
        for share, value in self.pieces:
            end += share / whole
            if way < end:
                return value
        return self.pieces[-1][1]


def _folded(value: float) -> float:
    """Return `value` as it goes from 0 to 1 and back, and so on."""
    rest = value % 2
    return 2 - rest if rest > 1 else rest


@cache
def presets() -> Mapping[str, Preset]:
    """Return all presets by name, in the order of the table."""
    return {preset.name: preset for _, preset in _rows()}


def preset_called(word: str) -> Preset:
    """Return the preset of this name, in whatever spelling: capitals, hyphens, ``x`` for ``*``.

    Raises:
        UsageError: there is none.
    """
    found = _by_spelling().get(_spelt(word))
    if found is None:
        near = get_close_matches(_spelt(word), _by_spelling(), n=1, cutoff=0.3) or ["GRAD_V"]
        raise UsageError("blocks.no_such_preset", preset=word, near=_by_spelling()[near[0]].name)
    return found


def _spelt(word: str) -> str:
    """Return `word` as files and shells can have it: ``SMOOTHSTEP*2`` is also SMOOTHSTEPx2."""
    return word.upper().replace("*", "X").replace("/", "_").replace("-", "_")


@cache
def _by_spelling() -> Mapping[str, Preset]:
    return {_spelt(name): preset for names, preset in _rows() for name in names}


@cache
def _rows() -> list[tuple[tuple[str, ...], Preset]]:
    """Return every preset, with its names."""
    return [_row(raw) for raw in tomllib.loads(_TABLE.read_text("utf-8"))["preset"]]


def _row(raw: dict[str, Any]) -> tuple[tuple[str, ...], Preset]:
    names = (raw["name"], *raw.pop("aliases", ()))
    pieces = tuple((share, value) for share, value in raw.pop("pieces", ()))
    return names, Preset(pieces=pieces, polynomial=tuple(raw.pop("polynomial", ())), **raw)
