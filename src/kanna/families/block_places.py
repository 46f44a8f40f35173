"""Where each tensor of a part is: its path in the original layout, and the words of its block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from kanna.errors import Incompatible
from kanna.families.block_maps import BlockMap, stem
from kanna.families.name_tables import PartLike, layouts_of, table_of

BASE: Final = "BASE"
VAE: Final = "VAE"
# A segment with more digits is no block's number.
_DIGITS: Final = 4


class PartOfFile(PartLike, Protocol):
    """What of a `kanna.identity.Part` says which blocks it has."""

    @property
    def prefix(self) -> str:
        """What stands before its names."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its tensors, with the prefix on."""

    @property
    def variant_candidates(self) -> tuple[str, ...]:
        """The variants that it may be."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where a tensor is: the part it belongs to, its path there, and the words of its block.

    `path` is that of the original layout where the tables know it, without the part's prefix. The
    first of `words` is the block; narrower words follow, such as ``TIME`` in ``IN00``. `fine` is
    its word in the long list, where the architecture has one.
    """

    role: str
    architecture: str | None
    path: str
    words: tuple[str, ...]
    fine: str = ""

    @property
    def block(self) -> str:
        """The word of its block."""
        return self.words[0]


def usual_word(role: str) -> str:
    """Return the block of parts that are not told apart any further."""
    return VAE if role == "vae" else BASE


def places_of_whole(part: PartOfFile, plan: BlockMap | None) -> dict[str, Place]:
    """Return the places of a part that is one block: a text encoder, a VAE."""
    variants = (part.variant,) if part.variant else part.variant_candidates[:1]
    words = (plan.words_of(part.role, variants) if plan else None) or (usual_word(part.role),)
    fine = (plan.fine.words_of(part.role, variants) if plan and plan.fine else None) or ("",)
    return {
        name: Place(
            role=part.role, architecture=part.architecture, path=name.removeprefix(part.prefix),
            words=words, fine=fine[0],
        )
        for name in part.names
    }  # fmt: skip


def places_of_mapped(part: PartOfFile, plan: BlockMap) -> dict[str, Place]:
    """Return the places of a diffusion model whose blocks a map knows."""
    paths = _original_paths(part, plan)
    found = {name: plan.words_at(path) or ((BASE,), {}) for name, path in paths.items()}
    numbered = ((stem(words[0]), numbers["i"]) for words, numbers in found.values() if numbers)
    last = dict(sorted(numbered))
    return {
        name: Place(
            role=part.role, architecture=part.architecture, path=paths[name],
            words=tuple(_filled(word, numbers, last.get(stem(word), 0)) for word in words),
            fine=_fine_word(plan.fine, paths[name]),
        )
        for name, (words, numbers) in found.items()
    }  # fmt: skip


def places_of_numbered(part: PartOfFile) -> dict[str, Place]:
    """Return the places of a model without a map: its numbered segments, and what else there is."""
    paths = {name: name.removeprefix(part.prefix) for name in part.names}
    return {
        name: Place(
            role=part.role, architecture=part.architecture, path=path,
            words=(_numbered_block(path), usual_word(part.role)),
        )
        for name, path in paths.items()
    }  # fmt: skip


def in_order(blocks: Iterable[str]) -> list[str]:
    """Return numbered blocks by number, those of one stem together, where its first one stood."""
    found = dict.fromkeys(blocks)
    stems = {block.rpartition(".")[0] if is_numbered(block) else block: None for block in found}
    rank = {stem_: at for at, stem_ in enumerate(stems)}
    return sorted(found, key=lambda block: _rank(block, rank))


def _rank(block: str, rank: Mapping[str, int]) -> tuple[int, int]:
    letters, _, number = block.rpartition(".")
    return (rank[letters], int(number)) if is_numbered(block) else (rank[block], 0)


def is_numbered(block: str) -> bool:
    """Whether a block is one of many, by its last segment."""
    return _is_number(block.rpartition(".")[2])


def _is_number(segment: str) -> bool:
    return segment.isascii() and segment.isdecimal() and len(segment) <= _DIGITS


def _numbered_block(path: str) -> str:
    """Return the path to its first number, if something that has parts stands there."""
    segments = path.split(".")
    for at, segment in enumerate(segments[:-2]):
        if at and _is_number(segment):
            return ".".join(segments[: at + 1])
    return segments[0]


def _original_paths(part: PartOfFile, plan: BlockMap) -> dict[str, str]:
    """Return each tensor's path, in the layout of the map where the names can be looked up."""
    rests = {name: name.removeprefix(part.prefix) for name in part.names}
    if part.layout in (None, plan.layout, *plan.alike):
        return rests
    known = _looked_up(part, tuple(rests.values()), plan.layout)
    return {name: known.get(rest, rest) for name, rest in rests.items()}


def _looked_up(part: PartOfFile, names: Sequence[str], target: str) -> dict[str, str]:
    from kanna.families.links import layout_map  # only files in other layouts need it

    table = table_of(part)
    if table is None or target not in layouts_of(table):
        return {}
    try:
        found = layout_map(table, names, source=part.layout or "", target=target)
    except Incompatible:  # something is missing: whoever needs it will say so
        return {}
    return {name: link.targets[0] for link in found.links for name in link.sources}


def _fine_word(plan: BlockMap | None, path: str) -> str:
    found = plan.words_at(path) if plan else None
    return _filled(found[0][0], found[1]) if found else ""


def _filled(word: str, numbers: Mapping[str, int], last: int = 0) -> str:
    return word.format(**numbers, last=last) if "{" in word else word
