"""Two models and candidates, compared tensor by tensor: what all of `kanna diff` is told from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kanna.engine.differences import Difference, Match, differences
from kanna.ops.diff_fit import Fit, Total, fit, rounding
from kanna.ops.diff_places import OTHER, Place, places_of
from kanna.ops.diff_rows import Row, row_of
from kanna.ops.diff_sides import Alignment, Side
from kanna.ops.parts import MODEL

# Roles of tensors that are no part of a model.
ASIDE: Final = ("ema", "position_ids", "junk", "marker", OTHER)

Part = tuple[str, str]  # its role, and the word that tells it from others in that role


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """What was measured of two files and of candidates.

    `differences` and `places` are by the first's names, those that both have in one shape; `blocks`
    are in the order of block weights, `listed` those of the usual list of them, if there is one.
    """

    first: Side
    second: Side
    candidates: tuple[Side, ...]
    alignment: Alignment
    places: Mapping[str, Place]
    blocks: tuple[str, ...]
    listed: tuple[str, ...]
    differences: Mapping[str, Difference]
    threads: int = 1

    @cached_property
    def matches(self) -> Mapping[str, Match]:
        """The tensors that were compared."""
        return {match.name: match for match in self.alignment.matches}

    @cached_property
    def parts(self) -> Mapping[Part, tuple[str, ...]]:
        """The names of what was compared: the diffusion model first, what is aside last."""
        found: dict[Part, list[str]] = {}
        for name in self.differences:
            found.setdefault(self.places[name].part, []).append(name)
        ordered = sorted(found.items(), key=lambda one: (one[0][0] in ASIDE, one[0][0] != MODEL))
        return {part: tuple(names) for part, names in ordered}

    @property
    def models(self) -> Mapping[Part, tuple[str, ...]]:
        """The parts that are models; of an unknown file, all that it is made of."""
        models = {part: names for part, names in self.parts.items() if part[0] not in ASIDE}
        return models or {part: names for part, names in self.parts.items() if part[0] == OTHER}

    def row(self, label: str, names: Iterable[str]) -> Row:
        """Return the row of `names`, all together."""
        return row_of(label, (self.differences[name] for name in names))

    def total(self, names: Iterable[str]) -> Total | None:
        """Return all that candidates can tell of `names`, together; None where that is nothing.

        A candidate that lacks all of them has no say; tensors that only some of the others have
        are left out.
        """
        listed = list(names)
        there = [[one is not None for one in self.matches[name].others] for name in listed]
        wanted = [any(column) for column in zip(*there, strict=True)]
        if not any(wanted):
            return None
        kept = [name for name, row in zip(listed, there, strict=True) if row == wanted]
        summed = sum((self.differences[name] for name in kept), Difference())
        return Total(difference=summed, noise=self.noise(kept))

    def fit(self, names: Iterable[str]) -> Fit | None:
        """Return what the candidates explain of `names`; None where that cannot be told."""
        total = self.total(names)
        return None if total is None else fit(total, len(self.candidates))

    def noise(self, names: Iterable[str]) -> float:
        """Return the square of what rounding the second's numbers to their dtypes makes."""
        return sum(
            rounding(self.matches[name].second.dtype, self.differences[name])
            for name in names if name not in self.second.decoded
        )  # fmt: skip


def compared(
    first: Side,
    second: Side,
    candidates: tuple[Side, ...],
    alignment: Alignment,
    *,
    threads: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Compared:
    """Read all files once; `tick` is called with the bytes read so far.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    for side in (first, second, *candidates):
        for file in side.model.files:
            file.will_stream()
    found = differences(alignment.matches, threads=threads, tick=tick)
    places = places_of(first)
    return Compared(
        first=first, second=second, candidates=candidates, alignment=alignment,
        places=places.of, blocks=places.blocks, listed=places.listed,
        differences={m.name: one for m, one in zip(alignment.matches, found, strict=True)},
        threads=threads,
    )  # fmt: skip
