"""Find the models inside a file: propose by a few telling names, then verify by whole key lists.

*Proposing* is one pass: every end of every name is looked up among the names that the tables look
for; what stands before it is the prefix, whatever it is. A row is proposed for a prefix where its
lines hold there. *Verifying* compares the row's key list with the file, so that a model with
tensors missing is still known, and a file that only resembles a family is not taken for one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from kanna.families import Component, component, index, tables
from kanna.families.keys import expand, fits, parse_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kanna.families.keys import Shape

# A hostile file could propose one row under 100,000 prefixes; real ones need two or three.
_MAX_PREFIXES: Final = 8
# Fewer names than this are no evidence unless the whole list is there.
_FEW: Final = 12


@dataclass(slots=True, eq=False)
class Hits:
    """What of one row was seen under one prefix."""

    all: set[str] = field(default_factory=set)
    any: list[str] = field(default_factory=list)
    blocked: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Found:
    """A proposed row under a prefix, compared with the file.

    `known` are the file's names that the row explains, `misshapen` those among them with another
    shape, `missing` are names the file lacks, `under` counts the names that stand under the prefix.
    `rivals` are other rows that explain the very same names of an incomplete model.
    """

    number: int
    row: Component
    prefix: str
    known: list[str]
    misshapen: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    under: int = 0
    rivals: list[Found] = field(default_factory=list)

    @property
    def listed(self) -> bool:
        """Whether the row has a key list to compare with."""
        return bool(self.row.required)

    @property
    def wrong(self) -> int:
        """How many names it explains have another shape."""
        return len(self.misshapen)

    @property
    def right(self) -> int:
        """How many names it explains with the right shape."""
        return len(self.known) - self.wrong

    @property
    def complete(self) -> bool:
        """Whether the whole list is there, in the right shapes."""
        return not self.missing and not self.wrong

    @property
    def holds(self) -> bool:
        """Whether the file really has this model, whole or in part."""
        if not self.listed:
            return True
        if self.complete:
            return 3 * self.under <= 4 * self.right
        return (
            self.right >= _FEW
            and 20 * self.wrong <= self.right
            and 4 * self.under <= 5 * self.right
        )


def recognise(
    shapes: Mapping[str, Shape], aside: set[str], stands: Mapping[str, str]
) -> tuple[list[Found], list[Found]]:
    """Return the models of the file, and the listed rows that came near without holding.

    `aside` are names that say nothing about which model it is: buffers, markers, scales. `stands`
    maps names in `shapes` to what the file calls them; what is found has the file's names.
    """
    hits = propose(shapes)
    core = [name for name in shapes if name not in aside]
    under: dict[str, int] = {}
    found = []
    for number, prefix in proposals(hits):
        stem = prefix + tables()["components"][number].get("stem", "")
        if stem not in under:
            under[stem] = sum(name.startswith(stem) for name in core)
        found.append(verify(number, prefix, shapes, under[stem]))
        if not found[-1].listed:
            found[-1].known = _anchors(found[-1], hits[number, prefix], shapes)
        if stands:
            found[-1].known = [stands.get(name, name) for name in found[-1].known]
            found[-1].misshapen = [stands.get(name, name) for name in found[-1].misshapen]
    found.sort(key=_rank)
    near = [one for one in found if not one.holds]
    return _chosen([one for one in found if one.holds]), near


def propose(shapes: Mapping[str, Shape]) -> dict[tuple[int, str], Hits]:
    """Return what was seen of each ``(row, prefix)``; rows that take by tails have one prefix."""
    tailed = {n for n, row in enumerate(tables()["components"]) if "tails" in row}
    hits: defaultdict[tuple[int, str], Hits] = defaultdict(Hits)
    look_up = index().get
    longest = _longest()
    for name, shape in shapes.items():
        # `starts`, written out: this runs for every tensor
        start = name.find(".", len(name) - longest - 1) + 1 if len(name) > longest else 0
        while True:
            end = name[start:]
            for number, slot, rule in look_up(end, ()):
                if fits(shape, rule):
                    hit = hits[number, "" if number in tailed else name[:start]]
                    if slot == "any":
                        hit.any.append(name)
                    elif slot == "all":
                        hit.all.add(end)
                    else:
                        hit.blocked |= slot == "none"
            start = name.find(".", start) + 1
            if not start:
                break
    return hits


def starts(name: str) -> Iterator[int]:
    """Yield where the ends of `name` start that could be looked for: after its dots.

    No name that is looked for is longer: a hostile name cannot cost more than that.
    """
    longest = _longest()
    start = name.find(".", len(name) - longest - 1) + 1 if len(name) > longest else 0
    while True:
        yield start
        start = name.find(".", start) + 1
        if not start:
            return


@cache
def _longest() -> int:
    return max(map(len, index()), default=0)


def proposals(hits: Mapping[tuple[int, str], Hits]) -> list[tuple[int, str]]:
    """Return the rows whose lines hold, each under its few best prefixes."""
    by_row: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for (number, prefix), hit in hits.items():
        raw = tables()["components"][number]
        wanted = sum(len(expand(parse_line(line)[0])) for line in raw.get("all", ()))
        if hit.blocked or len(hit.all) < wanted or ("any" in raw and not hit.any):
            continue
        if hit.any or hit.all:
            by_row[number].append((-len(hit.any) - len(hit.all), prefix))
    return [
        (number, prefix)
        for number, ranked in by_row.items()
        for _, prefix in sorted(ranked)[:_MAX_PREFIXES]
    ]


def verify(number: int, prefix: str, shapes: Mapping[str, Shape], under: int) -> Found:
    """Compare row `number` under `prefix` with the file."""
    row = component(number)
    found = Found(number=number, row=row, prefix=prefix, known=[], under=under)
    for name, rule in row.required.items():
        full = _spelled(prefix + name, row.aliases, shapes)
        shape = shapes.get(full)
        if shape is None:
            found.missing.append(full)
        else:
            found.known.append(full)
            if shape != rule and not fits(shape, rule):
                found.misshapen.append(full)
    optional = (_spelled(prefix + name, row.aliases, shapes) for name in row.optional)
    found.known += [name for name in optional if name in shapes]
    return found


def _anchors(found: Found, hit: Hits, shapes: Iterable[str]) -> list[str]:
    """The names that a row without a key list explains."""
    tails = found.row.tails
    if not tails:
        return [*(found.prefix + name for name in hit.all), *hit.any]
    ends = tuple(f".{tail}" for tail in tails)
    return [name for name in shapes if name.endswith(ends) or name in tails]


def _rank(found: Found) -> tuple[int, bool, int, int]:
    order = tables()["everywhere"]["order"]
    score = found.right - 2 * found.wrong - len(found.missing)
    return order.index(found.row.role), not found.complete, -score, found.number


def _chosen(ranked: list[Found]) -> list[Found]:
    """Take rows from the best down; a row whose names are taken already is a rival or nothing."""
    taken: dict[str, Found] = {}
    chosen: list[Found] = []
    for found in ranked:
        held = tuple(one.prefix + inner for one in chosen for inner in one.row.holds)
        if found.prefix.startswith(held) or _nested(found, chosen):
            continue
        holders = {id(taken[name]): taken[name] for name in found.known if name in taken}
        free = sum(name not in taken for name in found.known)
        if holders and (not found.listed or 2 * free < len(found.known)):
            for holder in holders.values():
                if not holder.complete and set(holder.known) == set(found.known):
                    holder.rivals.append(found)
            continue
        chosen.append(found)
        taken.update(dict.fromkeys(found.known, found))
    return chosen


def _nested(found: Found, chosen: Iterable[Found]) -> bool:
    """Whether a row without a key list is found again inside itself: in its blocks, say."""
    return not found.listed and any(
        one.number == found.number and found.prefix.startswith(one.prefix) for one in chosen
    )


def _spelled(name: str, aliases: Iterable[tuple[str, str]], shapes: Mapping[str, Shape]) -> str:
    """Return `name` as the file spells it."""
    if name not in shapes:
        for old, new in aliases:
            if old in name and (other := name.replace(old, new)) in shapes:
                return other
    return name
