"""How much of what they were to be made layers keep, as sums of squares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from kanna.lora.made import Made
from kanna.lora.ranks import share

_WORST: Final = 12  # layers that reports name


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What several layers together keep: sums of squares, and how often each rank occurs."""

    name: str
    layers: int
    squares: float
    missing: float
    ranks: tuple[tuple[int, int], ...]

    @property
    def error(self) -> float:
        """The Frobenius norm of what is missing, relative to that of the whole; 0 of nothing."""
        return sqrt(self.missing / self.squares) if self.squares else 0.0

    @property
    def share(self) -> float:
        """The share of the Frobenius norm that is kept."""
        return share(max(self.squares - self.missing, 0.0), self.squares)


def worst(made: Iterable[Made]) -> tuple[Retained, ...]:
    """Return the layers that lose most, the worst first."""
    lost = sorted(made, key=lambda one: one.missing, reverse=True)[:_WORST]
    return tuple(retained(one.name, [one]) for one in lost)


def retained(name: str, made: Sequence[Made]) -> Retained:
    """Return what the layers `made` keep together."""
    ranks = [one.rank for one in made]
    return Retained(
        name=name, layers=len(made), squares=sum(one.squares for one in made),
        missing=sum(one.missing for one in made),
        ranks=tuple((rank, ranks.count(rank)) for rank in sorted(set(ranks))),
    )  # fmt: skip
