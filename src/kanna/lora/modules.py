"""Module: what an adapter stores for one layer, whatever its dialect calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kanna.model import TensorInfo

Kind = Literal[
    "lora", "dora", "loha", "lokr", "ia3", "full", "norm", "oft", "boft", "glora", "peft-oft"
]
DIFFUSION: Final = "diffusion_model"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Module:
    """What an adapter stores for one layer.

    `name` is as the file spells it, without the ends of its tensors; `path` is the same without
    the beginning that says which part of the model is meant, `reach`: ``diffusion_model``, or
    ``te``, ``te1`` … for text encoders. A path has dots between its words, or ``_``. `pieces` are
    tensors by what they are for (``up``, ``down``, ``core``, ``bias`` …; see ``[endings]`` of
    ``families/lora.toml``), alpha aside. `alpha` is None where it counts as the rank, `rank` where
    a module has none; `stored_alpha` is the tensor that says it, where there is one. ``dora`` is a
    ``lora`` with magnitudes; other kinds may have some, too.
    """

    name: str
    reach: str
    path: str
    kind: Kind
    pieces: Mapping[str, TensorInfo]
    alpha: float | None = None
    rank: int | None = None
    stored_alpha: TensorInfo | None = None

    @property
    def scale(self) -> float:
        """What its product is multiplied with: alpha over rank, 1 where it lacks either."""
        return self.alpha / self.rank if self.alpha is not None and self.rank else 1.0

    @property
    def decomposed(self) -> bool:
        """Whether it has magnitudes (DoRA), so that what it adds depends on the weight."""
        return "magnitude" in self.pieces

    @property
    def key(self) -> str:
        """Its path with ``_`` between all words: how it is looked up."""
        return underscored(self.path)


def underscored(path: str) -> str:
    """Return a path as kohya's files spell it."""
    return path.replace(".", "_")
