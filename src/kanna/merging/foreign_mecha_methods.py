"""What sd-mecha's methods are here: tables of them, and what their calls stand for in a graph.

Sources of what they compute: ljleb/sd-mecha extensions/builtin/merge_methods (linear.py,
limiting.py, ties.py, crossover.py, wrappers.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kanna.merging.recipe import Value, Weight

# What leaves its first argument as it is, as far as a recipe of ours is concerned: dtypes and
# devices are chosen elsewhere, and a number or a list of blocks is used as it stands.
PASSED: Final = frozenset({
    "cast", "fallback", "convert_singleton", "convert_sd1_blocks_to_ldm",
    "convert_sdxl_blocks_to_sgm",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """A file or a step, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What is added to a model: by which method of ours, of which models and base."""

    method: str
    models: tuple[str, ...]
    base: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    scale: str = "alpha"


@dataclass(frozen=True, slots=True)
class Mask:
    """How much of ``b - c`` is added to a, number by number, which a method of ours does."""

    method: str
    models: tuple[str, ...]
    alpha: Weight


@dataclass(frozen=True, slots=True)
class Row:
    """A method of its: ours, how many models it takes (0: any), and its numbers' defaults.

    `fixed` is what ours must be told to compute the same.
    """

    method: str
    models: int = 2
    numbers: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, Value] = field(default_factory=dict)


ROWS: Final[Mapping[str, Row]] = {
    "weighted_sum": Row("weighted-sum", numbers={"alpha": 0.5}),
    "slerp": Row("slerp", numbers={"alpha": 0.5}, fixed={"length": "mixed"}),
    "geometric_sum": Row("geometric", numbers={"alpha": 0.5}),
    "crossover": Row("crossover", numbers={"alpha": 0.5, "tilt": 0.0}),
    "clamp": Row("clip", models=3),
    "n_average": Row("weighted-sum", models=0),
}
MASKS: Final[Mapping[str, str]] = {"train_difference_mask": "train-difference"}
