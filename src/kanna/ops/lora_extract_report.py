"""What a LoRA keeps of the difference of two models, by block, and what it cannot carry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

from kanna.lora.extracting import Difference
from kanna.lora.made import Made
from kanna.lora.retained import Retained, retained, worst
from kanna.ops.lora_differences import PartDifferences

# Of one part: the factors that were made, the layers that were left out, the tensors beside.
Outcome: TypeAlias = tuple[Sequence[Made], Sequence[Difference], Sequence[Difference]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractReport:
    """What a LoRA keeps of the difference of two models; numbers are sums of squares.

    `overall` is of the layers that it has, `blocks` of those of each block, `worst` of those that
    lose most. `skipped` layers differ and were left out, `same` do not differ; `beside` tensors
    differ that no factors are made of, and of what they hold `written` is there as it is.
    """

    overall: Retained
    blocks: tuple[Retained, ...]
    worst: tuple[Retained, ...]
    skipped: int
    skipped_squares: float
    same: int
    beside: int
    beside_squares: float
    written_squares: float = 0.0

    @property
    def whole(self) -> float:
        """The sum of the squares of all differences."""
        return self.overall.squares + self.skipped_squares + self.beside_squares

    @property
    def error(self) -> float:
        """How far the base with this LoRA is from the tuned model, relative to their difference.

        Before the sum is rounded to the dtype of a model.
        """
        lost = self.overall.missing + self.skipped_squares
        lost += self.beside_squares - self.written_squares
        return sqrt(lost / self.whole) if self.whole else 0.0

    def share(self, squares: float) -> float:
        """Return which share of the Frobenius norm of all differences is in these."""
        return sqrt(squares / self.whole) if self.whole else 0.0


def report_of(
    parts: Sequence[PartDifferences], outcomes: Sequence[Outcome], written: Collection[str]
) -> ExtractReport:
    """Return what became of the differences; `written` are names of whole ones."""
    made = [one for some, _, _ in outcomes for one in some]
    skipped = [one for _, some, _ in outcomes for one in some]
    beside = [one for _, _, some in outcomes for one in some]
    return ExtractReport(
        overall=retained("", made),
        blocks=tuple(retained(*row) for row in _by_block(parts, outcomes).items()),
        worst=worst(made),
        skipped=sum(one.squares > 0 for one in skipped), skipped_squares=_sum(skipped),
        same=sum(one.squares == 0 for one in skipped),
        beside=sum(one.squares > 0 for one in beside), beside_squares=_sum(beside),
        written_squares=_sum([one for one in beside if one.name in written]),
    )  # fmt: skip


def _sum(differences: Sequence[Difference]) -> float:
    return sum(one.squares for one in differences)


def _by_block(
    parts: Sequence[PartDifferences], outcomes: Sequence[Outcome]
) -> Mapping[str, list[Made]]:
    blocks: dict[str, list[Made]] = {word: [] for part in parts for word in part.order}
    for block, one in _placed(parts, outcomes):
        blocks.setdefault(block, []).append(one)
    return {block: made for block, made in blocks.items() if made}


def _placed(
    parts: Sequence[PartDifferences], outcomes: Sequence[Outcome]
) -> Iterator[tuple[str, Made]]:
    for part, (made, _, _) in zip(parts, outcomes, strict=True):
        for one in made:
            yield part.blocks.get(one.name, part.word), one
