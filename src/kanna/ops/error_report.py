"""How far numbers moved: an honest account of a lossy conversion, block by block.

Three numbers for each row: the relative RMS error ``sqrt(sum((y - x)²) / sum(x²))``, the largest
absolute error, and the cosine between before and after, ``sum(x·y) / sqrt(sum(x²)·sum(y²))``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final

from kanna.kernel import Comparison

WORST: Final = 10  # tensors that a report names
_LEAF: Final = 1  # segments after a number that count a layer of a plain sequence, not a block


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """The error of a tensor, of a block, or of all: of so many `tensors` and `numbers`.

    A value that is not defined, as where all numbers were zero or some were no numbers, is None.
    """

    name: str
    tensors: int
    numbers: int
    relative_rms: float | None
    largest: float | None
    cosine: float | None

    @property
    def exact(self) -> bool:
        """Whether no number changed."""
        return self.largest == 0

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "name": self.name, "tensors": self.tensors, "numbers": self.numbers,
            "relative_rms": self.relative_rms, "max_error": self.largest, "cosine": self.cosine,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """The error `overall`, of the `blocks`, and of the `worst` tensors.

    Blocks stand by their numbers, stacks of them (``double_blocks``) in the order of the file.
    `worst_of` is the relative RMS error of the worst tensor of each block, by the block's name.
    """

    overall: ErrorRow
    blocks: tuple[ErrorRow, ...]
    worst: tuple[ErrorRow, ...]
    worst_of: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "overall": self.overall.to_json(),
            "blocks": [row.to_json() for row in self.blocks],
            "worst": [row.to_json() for row in self.worst],
        }


def error_report(measured: Mapping[str, Comparison], prefixes: Iterable[str] = ()) -> ErrorReport:
    """Put what was `measured`, by output name, together; `prefixes` are those of the parts.

    A block is what stands before the first number of a name, and the number, below its part's
    prefix: ``double_blocks.0``. Where only one part was measured its prefix is left out.
    """
    known = sorted({prefix for prefix in prefixes if prefix}, key=len, reverse=True)
    places = {name: _split(name, known) for name in measured}
    alone = len({prefix for prefix, _ in places.values()}) == 1
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, (prefix, rest) in places.items():
        groups[("" if alone else prefix) + block_of(rest)].append(name)
    tensors = {name: _row(name, [one]) for name, one in measured.items()}
    blocks = [_row(block, [measured[name] for name in groups[block]]) for block in in_order(groups)]
    return ErrorReport(
        overall=_row("", list(measured.values())),
        blocks=tuple(blocks),
        worst=tuple(sorted(_lossy(tensors.values()), key=_badness, reverse=True)[:WORST]),
        worst_of={
            block: max(_badness(tensors[name]) for name in names) for block, names in groups.items()
        },
    )


def block_of(name: str) -> str:
    """Return the block that a tensor stands in, by its name below the part's prefix.

    Names without one, and numbers that count the layers of a plain sequence
    (``time_embed.0.weight``), give what comes first in them.
    """
    segments = name.split(".")
    number = next((n for n, segment in enumerate(segments) if segment.isdecimal()), 0)
    if number and len(segments) - number - 1 > _LEAF:
        return ".".join(segments[: number + 1])
    return segments[0]


def stack_of(block: str) -> str:
    """Return a block's name without its number: all that have the same are a stack."""
    stack, _, number = block.rpartition(".")
    return stack if number.isdecimal() else block


def in_order(blocks: Iterable[str]) -> list[str]:
    """Return blocks by their numbers, which files that sort their names do not keep."""
    named = list(blocks)
    stacks = list(dict.fromkeys(map(stack_of, named)))
    places = {stack: place for place, stack in enumerate(stacks)}

    def place(block: str) -> tuple[int, int, str]:
        number = block.removeprefix(stack_of(block))
        return places[stack_of(block)], len(number), number  # no int(): it has a limit

    return sorted(named, key=place)


def _split(name: str, prefixes: list[str]) -> tuple[str, str]:
    prefix = next((prefix for prefix in prefixes if name.startswith(prefix)), "")
    return prefix, name.removeprefix(prefix)


def _row(name: str, parts: list[Comparison]) -> ErrorRow:
    total = sum(parts, Comparison())
    relative = sqrt(total.dd / total.xx) if total.xx > 0 else None
    return ErrorRow(
        name=name,
        tensors=len(parts),
        numbers=total.count,
        relative_rms=_defined(relative) if total.dd else 0.0,
        largest=_defined(total.largest),
        cosine=_defined(_cosine(total)) if total.dd else 1.0,
    )


def _cosine(total: Comparison) -> float | None:
    if not (total.xx > 0 and total.yy > 0):
        return None
    return min(total.xy / sqrt(total.xx) / sqrt(total.yy), 1.0)  # rounding may lead just above


def _defined(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _lossy(rows: Iterable[ErrorRow]) -> Iterator[ErrorRow]:
    return (row for row in rows if not row.exact)


def _badness(row: ErrorRow) -> float:
    return row.relative_rms if row.relative_rms is not None else float("inf")
