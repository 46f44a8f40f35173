"""The dialects that LoRAs can be written in: rows of ``dialects.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from kanna.families.key_maps import layouts_of
from kanna.lora.modules import DIFFUSION, Module

_TABLE: Final = Path(__file__).with_name("dialects.toml")
_DIFFUSERS: Final = "diffusers"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """How a program spells LoRAs.

    Paths have `separator` between their words and follow one of `starts`. `kinds` are those of
    modules that it has a form for; `alpha` is a ``tensor`` of each module, or in the ``metadata``.
    With `one_part` a file is for one part of a model only.
    """

    name: str
    separator: str
    kinds: tuple[str, ...]
    alpha: str
    starts: Mapping[str, Any]
    pieces: Mapping[str, str]
    layout: str | None = None
    diffusers_for: tuple[str, ...] = ()
    one_part: bool = False
    title: str = ""

    def start(self, word: str, encoders: Sequence[str], table: str | None) -> str | None:
        """Return what stands before the paths of the part `word`; None: it has no name for it.

        `encoders` are the text encoders that the architecture has; `table` is the one that has the
        part's names in other layouts.
        """
        if word == DIFFUSION:
            known = self.starts.get("unet") if (table or "").startswith("unet") else None
            return str(known or self.starts[DIFFUSION])
        if len(encoders) < 2 and "alone" in self.starts:
            return str(self.starts["alone"])
        if word in self.starts:
            return str(self.starts[word])
        numbered = self.starts["encoders"]
        number = encoders.index(word) if word in encoders else 0
        return str(numbered[number]) if number < len(numbered) else None

    def layout_for(self, word: str, architecture: str, table: str | None) -> str | None:
        """Return the layout whose names it uses; None where there is only one."""
        if table is None:
            return None
        known = layouts_of(table)
        if word != DIFFUSION:
            return known[0]
        wanted = self.layout or (_DIFFUSERS if architecture in self.diffusers_for else None)
        if wanted is None:
            return next((one for one in known if one != _DIFFUSERS), known[0])
        return wanted if wanted in known else known[0]

    def tail(self, module: Module, piece: str) -> str:
        """Return how the name of a tensor ends that is this `piece` of `module`."""
        common = _raw()["pieces"]
        own = self.pieces.get(piece) if module.kind in {"lora", "dora"} or piece in _OWN else None
        return str(own or common.get(f"{piece}_{module.kind}") or common[piece])


# The pieces that are called alike in modules of every kind.
_OWN: Final = frozenset({"magnitude"})


@cache
def dialects() -> Mapping[str, Dialect]:
    """Return all dialects by name."""
    rows = _raw()["dialects"]
    return MappingProxyType({name: _dialect(name, row) for name, row in rows.items()})


def _dialect(name: str, row: Mapping[str, Any]) -> Dialect:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Dialect(name=name, **fields)


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(_TABLE.read_text("utf-8"))
