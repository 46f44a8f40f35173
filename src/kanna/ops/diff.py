"""`kanna diff`: what differs between two models, block by block, and what that means.

::

    side_of       each file: its numbers, decoded, and which part they belong to (`diff_sides`)
      └ align       tensor by tensor, under the first one's names
         └ compared    one pass over all files (`kanna.engine.differences`)
            └ report      rows by part, block and group of components (`diff_places`, `diff_rows`)
               └ verdicts    what B is, of A and of the candidates (`diff_verdicts`, `diff_fit`)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kanna.ops.diff_compared import Compared, Part
from kanna.ops.diff_fit import Fit
from kanna.ops.diff_places import GROUPS, OTHER
from kanna.ops.diff_rows import Row, row_of
from kanna.ops.diff_sides import Misshapen, Side
from kanna.ops.diff_verdict import letter
from kanna.ops.diff_verdicts import Verdict, verdicts
from kanna.ops.error_report import in_order

WORST: Final = 10  # tensors that a report names
COLUMNS: Final = (*(group for group, _ in GROUPS), OTHER)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class File:
    """One of the files, by the letter that verdicts call it: A, B, then the candidates."""

    letter: str
    path: str
    size: int
    container: str
    architecture: str | None
    dtype: str | None

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "letter": self.letter, "path": self.path, "size": self.size,
            "container": self.container, "architecture": self.architecture, "dtype": self.dtype,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A part of the models, or a block of one: its numbers, and what candidates explain of it.

    `groups` are the rows of its groups of components.
    """

    part: Part
    row: Row
    fit: Fit | None
    groups: Mapping[str, Row]

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "role": self.part[0], "word": self.part[1], **self.row.to_json(),
            "fit": self.fit and self.fit.to_json(),
            "groups": {group: row.to_json() for group, row in self.groups.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alone:
    """Tensors that only one of the files has, of one role."""

    role: str
    tensors: int
    names: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {"role": self.role, "tensors": self.tensors, "names": list(self.names)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiffReport:
    """All that is told of a comparison; `tensors` are all that were compared, in file order.

    `only_first` and `only_second` are what one file has and the other does not, by role;
    `misshapen` is in both, in different shapes. `metadata_same` is of what the files say of
    themselves.
    """

    files: tuple[File, ...]
    overall: Row
    parts: tuple[Section, ...]
    blocks: tuple[Section, ...]
    tensors: tuple[Row, ...]
    only_first: tuple[Alone, ...]
    only_second: tuple[Alone, ...]
    misshapen: tuple[Misshapen, ...]
    metadata_same: bool
    verdicts: tuple[Verdict, ...]

    @property
    def same(self) -> bool:
        """Whether both have the same tensors with the same dtypes and bytes."""
        alone = self.only_first or self.only_second or self.misshapen
        return not alone and self.overall.same == self.overall.tensors

    @property
    def worst(self) -> tuple[Row, ...]:
        """The tensors that are farthest apart, the worst first."""
        differing = (row for row in self.tensors if not row.exact)
        return tuple(sorted(differing, key=badness, reverse=True)[:WORST])

    def to_json(self) -> dict[str, object]:
        """Return plain data; the keys never change."""
        return {
            "files": [one.to_json() for one in self.files],
            "same": self.same,
            "metadata_same": self.metadata_same,
            "verdicts": [one.to_json() for one in self.verdicts],
            "overall": self.overall.to_json(),
            "parts": [one.to_json() for one in self.parts],
            "blocks": [one.to_json() for one in self.blocks],
            "worst": [one.to_json() for one in self.worst],
            "only_in_a": [one.to_json() for one in self.only_first],
            "only_in_b": [one.to_json() for one in self.only_second],
            "misshapen": [
                {"name": one.name, "a": list(one.first), "b": list(one.second)}
                for one in self.misshapen
            ],
        }


def badness(row: Row) -> float:
    """Return by what the worst tensors are chosen: what has no measure is the worst of all."""
    return row.relative_rms if row.relative_rms is not None else float("inf")


def report(found: Compared) -> DiffReport:
    """Return what is told of a comparison.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    names = tuple(found.differences)
    sides = (found.first, found.second, *found.candidates)
    return DiffReport(
        files=tuple(_file(side, letter(at)) for at, side in enumerate(sides)),
        overall=found.row("", names),
        parts=tuple(_section(found, p, p[1], of, COLUMNS) for p, of in found.parts.items()),
        blocks=tuple(_blocks(found)),
        tensors=tuple(row_of(name, [one]) for name, one in found.differences.items()),
        only_first=_alone(found.first, found.alignment.missing),
        only_second=_alone(found.second, found.alignment.extra),
        misshapen=found.alignment.misshapen,
        metadata_same=dict(found.first.model.metadata) == dict(found.second.model.metadata),
        verdicts=verdicts(found),
    )


def _file(side: Side, name: str) -> File:
    return File(
        letter=name, path=str(side.model.path), size=side.model.size,
        container=side.model.container, architecture=side.identity.architecture,
        dtype=side.identity.dtype,
    )  # fmt: skip


def _section(
    found: Compared, part: Part, label: str, names: Iterable[str], groups: Iterable[str]
) -> Section:
    listed = list(names)
    by_group = {
        group: found.row(group, [n for n in listed if found.places[n].group == group])
        for group in groups
    }
    return Section(
        part=part, row=found.row(label, listed), fit=found.fit(listed),
        groups={group: row for group, row in by_group.items() if row.tensors},
    )  # fmt: skip


def _blocks(found: Compared) -> Iterator[Section]:
    for part, names in found.models.items():
        blocks: dict[str, list[str]] = {}
        for name in names:
            blocks.setdefault(found.places[name].block, []).append(name)
        for block in _ordered(blocks, found.blocks):
            yield _section(found, part, block, blocks[block], COLUMNS)


def _ordered(blocks: Iterable[str], known: tuple[str, ...]) -> list[str]:
    """Return blocks in the order of block weights, or by their numbers."""
    listed = in_order(blocks)
    return sorted(listed, key=lambda one: known.index(one) if one in known else -1)


def _alone(side: Side, names: Iterable[str]) -> tuple[Alone, ...]:
    listed = list(names)
    counts = Counter(side.roles.get(name, "other") for name in listed)
    return tuple(
        Alone(role=role, tensors=count,
              names=tuple(n for n in listed if side.roles.get(n, "other") == role))
        for role, count in counts.items()
    )  # fmt: skip
