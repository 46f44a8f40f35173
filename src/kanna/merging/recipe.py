"""Recipe: which files become which model, by which steps; plain values, without any file open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

Compat = Literal["a1111"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A number that may differ from tensor to tensor.

    `value` is the number where nothing else is said. `blocks` is what ``--blocks`` takes: a list of
    numbers, rules, or a preset; `elements` are rules by name, of which the last that fits counts.
    """

    value: float
    blocks: str = ""
    elements: tuple[str, ...] = ()


# What a parameter is given: a number, one for each model, or a plain word, flag or count.
Value: TypeAlias = Weight | tuple[Weight, ...] | bool | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that a recipe reads, by its path, its SHA-256 (64 hex digits), or both."""

    path: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One method applied to models, each named by a source or by an earlier step.

    `base` is the model that differences are taken from. `block_methods` maps patterns of blocks to
    other methods, which get the same models and parameters. The method ``lora`` has one model and
    then LoRAs, in the order of its ``weights``, and of its ``te_weights`` where text encoders get
    others; with ``skip_unknown`` what has no place in the model is left out.
    """

    name: str
    method: str
    models: tuple[str, ...]
    base: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    block_methods: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    seed: int = 0

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it takes, the base last."""
        return (*self.models, self.base) if self.base else self.models

    @property
    def loras(self) -> tuple[str, ...]:
        """The LoRAs that it adds to its first model, if its method is ``lora``."""
        return self.models[1:] if self.method == "lora" else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The output: which step it is, and what is done with it on its way into the file.

    `step` is empty for the last one. `vae` is ``a`` (that of the first model), ``merge``, the name
    of a source, of which it is taken, or empty: as `Recipe.compat` has it, else ``a``. The others
    are options of `kanna convert`; `ema` is of the first model.
    """

    step: str = ""
    path: str | None = None
    container: str | None = None
    dtype: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    vae: str = ""
    ema: str = "drop"
    prune: bool = False
    position_ids: str = "repair"
    missing: str = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole graph of merges.

    `sources` are the files, by the names that steps use. With `compat` ``a1111`` every step rounds
    to the dtype in which its inputs are stored, as that program does. `axes` maps the path of a
    number, such as ``mix.alpha``, to the values that it takes in turn: one output for each.
    """

    sources: Mapping[str, Source]
    steps: tuple[Step, ...]
    output: Wish = field(default_factory=Wish)
    compat: Compat | None = None
    axes: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: MappingProxyType({}))
