"""What ComfyUI's nodes are, from `comfyui_nodes.toml`, which says what its fields mean."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from kanna.infotext.info import Role

_TABLE: Final = Path(__file__).with_name("comfyui_nodes.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A field of `GenerationInfo`: the inputs that say it, and those that lead there.

    `side` says which number of a text such as "832 x 1216" it is, counted from 1.
    """

    inputs: tuple[str, ...]
    through: tuple[str, ...]
    side: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Of the inputs, the one counts that the value of the input `by` names."""

    by: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """What is known of a node's class."""

    role: str = ""
    widgets: tuple[str, ...] | None = None
    passes: tuple[str, ...] = ()
    base: str = ""
    choose: Choice | None = None
    texts: tuple[str, ...] | None = None
    joins: tuple[str, ...] = ()
    separator: str = ""
    separator_text: str = ""
    listed: str = ""
    models: Mapping[str, Role] | None = None
    count: str = ""
    weights: Choice | None = None
    tags: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """Inputs that name models, by their names."""

    name: re.Pattern[str]
    role: Role
    stage: str = ""
    weight: tuple[str, ...] = ()
    switch: str = ""
    suffix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTable:
    """The whole table; `walking` has lists of names of inputs."""

    words: Mapping[str, Word]
    walking: Mapping[str, tuple[str, ...]]
    inputs: tuple[ModelInput, ...]
    rows: Mapping[str, NodeRow] = field(default_factory=dict)

    def row(self, kind: str) -> NodeRow:
        """Return what is known of a class of nodes; of an unknown one, nothing."""
        return self.rows.get(kind, _UNKNOWN)

    def word_of(self, name: str) -> Word | None:
        """Return the field that an input of this name says."""
        return next((word for word in self.words.values() if name in word.inputs), None)


_UNKNOWN: Final = NodeRow()


@cache
def node_table() -> NodeTable:
    """Return the table, read once."""
    raw = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return NodeTable(
        words={name: Word(**_tuples(word)) for name, word in raw["words"].items()},
        walking=_tuples(raw["walking"]),
        inputs=tuple(
            ModelInput(**{**_tuples(one), "name": re.compile(one["name"])}) for one in raw["inputs"]
        ),
        rows={name: _row(one) for one in raw["node"] for name in one["class"]},
    )


def _row(raw: Mapping[str, Any]) -> NodeRow:
    fields = {name: value for name, value in raw.items() if name != "class"}
    for name in fields.keys() & {"choose", "weights"}:
        fields[name] = Choice(**fields[name])
    return NodeRow(**_tuples(fields))


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
