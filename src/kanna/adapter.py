"""Adapters as values: what a LoRA, an embedding or a hypernetwork is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_MOST_VALUES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """The vectors of an embedding for one text encoder; None where it is not known which."""

    encoder: str | None
    count: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """What a LoRA, an embedding or a hypernetwork is made of.

    `ranks` and `alphas` are ascending values, each with how many modules have it; a module
    without alpha counts as one whose alpha is its rank. `alphas` is None where they were not
    all read. `touches` are ``diffusion_model`` and words of text encoders. `convolutions` are
    those with a kernel; `decomposed` is DoRA. `bases` are all models that the modules fit, as
    ``architecture`` or ``architecture:variant``; `fitting` counts the modules that do, and
    `mixed` says that the best of them has fewer than nine in ten. `said` is what metadata says
    of it, which may be wrong. `vectors` are those of an embedding; `widths` and `structure`
    those of a hypernetwork.
    """

    dialect: str | None = None
    modules: int = 0
    ranks: tuple[tuple[int, int], ...] = ()
    alphas: tuple[tuple[float, int], ...] | None = None
    touches: tuple[str, ...] = ()
    convolutions: bool = False
    decomposed: bool = False
    bases: tuple[str, ...] = ()
    fitting: int = 0
    mixed: bool = False
    said: Mapping[str, str] = field(default_factory=dict)
    vectors: tuple[Vectors, ...] = ()
    widths: tuple[int, ...] = ()
    structure: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return its part of the identity document."""
        alphas = None if self.alphas is None else _counted_json("alpha", self.alphas)
        return {
            "dialect": self.dialect,
            "modules": self.modules,
            "ranks": _counted_json("rank", self.ranks),
            "alphas": alphas,
            "touches": list(self.touches),
            "convolutions": self.convolutions,
            "decomposed": self.decomposed,
            "bases": list(self.bases),
            "fitting": self.fitting,
            "mixed": self.mixed,
            "said": dict(self.said),
            "vectors": [
                {"encoder": one.encoder, "count": one.count, "width": one.width}
                for one in self.vectors
            ],
            "widths": list(self.widths),
            "structure": dict(self.structure),
        }


def counted_text(counted: Sequence[tuple[float, int]]) -> str:
    """Return the values of a count, as in `Adapter.ranks`, in one line: the ends where many."""
    values = [f"{value:g}" for value, _ in counted]
    return "/".join(values) if len(values) <= _MOST_VALUES else f"{values[0]}–{values[-1]}"


def _counted_json(word: str, counted: Iterable[tuple[float, int]]) -> list[dict[str, float]]:
    return [{word: value, "modules": count} for value, count in counted]
