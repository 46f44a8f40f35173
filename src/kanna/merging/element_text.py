"""What ``--elements`` takes: rules by the names of tensors, in kanna's words or SuperMerger's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

from kanna.errors import UsageError
from kanna.families.blocks import Blocks, Place
from kanna.merging.block_words import Chosen, chosen_blocks, number_in, plain

_WILD: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ElementRule:
    """A number for the tensors of `blocks` (None: all) whose name one of `tests` finds.

    With `negated` it is for those that none of them finds.
    """

    blocks: Chosen | None
    tests: tuple[Callable[[str], object], ...]
    negated: bool
    number: float

    def fits(self, place: Place, name: str) -> bool:
        """Whether the rule is for the tensor `name` at `place`."""
        if self.blocks is not None and not self.blocks.has(place.words):
            return False
        found = any(test(place.path) or test(name) for test in self.tests)
        return not self.tests or found is not self.negated


def parse_elements(texts: Iterable[str], blocks: Blocks) -> tuple[ElementRule, ...]:
    """Return the rules in `texts`, of which the last that fits counts.

    ::

        attn2.*to_k=0.2               a pattern, found anywhere in the path of a tensor
        IN07,OUT03-05:attn2=0.2       the same in some blocks only
        attn[12].to_[qk].=0.2         one of some letters
        OUT03 OUT04:attn2 ff:0.5      SuperMerger's way: blocks, elements, number
        NOT OUT04:attn:1              NOT before blocks, or before elements, means the others

    Several stand on lines of their own or between commas.

    Raises:
        UsageError: a rule cannot be read, or names a block that the model does not have.
    """
    lines = plain("\n".join(texts)).splitlines()
    return tuple(_rule(item, blocks) for line in lines for item in _items(line))


def _items(line: str) -> Iterator[str]:
    """Yield the rules of a line; what stands before a comma without a number goes with the next."""
    begun = ""
    for piece in re.split("[,;]", line):
        begun = f"{begun},{piece.strip()}" if begun else piece.strip()
        if "=" in piece or begun.count(":") > 1:
            yield begun
            begun = ""
    if begun.strip(","):
        yield begun


def _rule(item: str, blocks: Blocks) -> ElementRule:
    left, sign, number = item.rpartition("=")
    if not sign and item.count(":") > 1:
        left, sign, number = item.rpartition(":")
    where, colon, elements = left.partition(":")
    if not sign or not left.strip():
        raise UsageError("blocks.no_element", rule=item or "-")
    chosen = chosen_blocks(where, blocks) if colon and where.strip() else None
    words = (elements if colon else left).replace(",", " ").split()
    negated = bool(words) and words[0].upper() == "NOT"
    tests = tuple(map(_test, words[negated:]))
    return ElementRule(
        blocks=chosen, tests=tests, negated=negated, number=number_in(number.strip(), item)
    )


def _test(word: str) -> Callable[[str], object]:
    """Return what finds `word` in a path: as it is, or as a pattern."""
    if _WILD.isdisjoint(word):
        return lambda path: word in path
    return re.compile(translate(f"*{word}*")).match
