"""Which blocks somebody means: words, ranges and patterns of blocks, and NOT before them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from math import isfinite
from typing import Final

from kanna.errors import UsageError
from kanna.families.blocks import BASE, Blocks

# Every rule is tried on every tensor: a recipe of a stranger's must not take all day.
LONGEST: Final = 1 << 14
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WILD: Final = frozenset("*?[")
_PARTS: Final = re.compile(r"(.*?)([0-9]{1,6})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some blocks, or with `negated` all others."""

    words: frozenset[str]
    negated: bool = False

    def has(self, words: Iterable[str]) -> bool:
        """Whether a tensor whose block has these words is among them."""
        return self.words.isdisjoint(words) is self.negated


def plain(text: str) -> str:
    """Return `text` with the letters, digits and signs of wide type as plain ones.

    Raises:
        UsageError: it is too long to be meant.
    """
    if len(text) > LONGEST:
        raise UsageError("blocks.too_long", length=len(text), most=LONGEST)
    return unicodedata.normalize("NFKC", text).replace("、", ",")


def is_number(text: str) -> bool:
    """Whether `text` is written as a number."""
    return _NUMBER.fullmatch(text) is not None


def number_in(text: str, where: str) -> float:
    """Return the number that `text` is.

    Raises:
        UsageError: it is none, or an endless one.
    """
    value = float(text) if is_number(text) else float("nan")
    if not isfinite(value):
        raise UsageError("blocks.no_number", number=text or "-", where=where)
    return value


def chosen_blocks(text: str, blocks: Blocks) -> Chosen:
    """Return the blocks that `text` names: words and patterns between spaces or commas.

    ``IN00-05`` and ``IN00-OUT03`` are ranges in the order of the blocks, ``OUT*`` is a pattern,
    ``OUT`` alone all that are numbered so; after ``NOT`` it is the others. Capitals do not matter.

    Raises:
        UsageError: there is no such block, or none is named.
    """
    words = text.replace(",", " ").split()
    negated = bool(words) and words[0].upper() == "NOT"
    found = [block for word in words[negated:] for block in _named(word, blocks)]
    if not found:
        raise UsageError("blocks.none_named", text=text.strip() or "-", known=examples(blocks))
    return Chosen(frozenset(found), negated)


def examples(blocks: Blocks) -> str:
    """Return the first and the last blocks, for a sentence."""
    names = list(blocks.names)
    return ", ".join(names if len(names) <= 12 else [*names[:6], "…", *names[-5:]])


def example(blocks: Blocks) -> str:
    """Return a block from the middle, for a sentence."""
    return blocks.names[len(blocks.names) // 2] if blocks.names else BASE


def _named(word: str, blocks: Blocks) -> Sequence[str]:
    known = {one.upper(): one for one in blocks.words}
    upper = word.upper()
    if found := _single(upper, known):
        return [found]
    if span := _span(upper, known, blocks.names):
        return span
    if fitting := [one for key, one in known.items() if _fits(key, upper)]:
        return fitting
    raise _unknown(_missing_end(upper, known) or word, known, blocks)


def _unknown(word: str, known: Mapping[str, str], blocks: Blocks) -> UsageError:
    near = get_close_matches(word.upper(), known, n=1)
    if near:
        return UsageError("blocks.no_such_block_but", block=word, near=known[near[0]],
                          known=examples(blocks))  # fmt: skip
    return UsageError("blocks.no_such_block", block=word, known=examples(blocks))


def _missing_end(word: str, known: Mapping[str, str]) -> str:
    """Return the end that is no block, of a range whose beginning is one."""
    first, dash, last = word.partition("-")
    return (
        (_split(first)[0] + last if last.isdecimal() else last)
        if dash and _single(first, known)
        else ""
    )


def _fits(block: str, word: str) -> bool:
    """Whether `word` is a pattern that `block` fits, or the letters before its number."""
    if not _WILD.isdisjoint(word):
        return fnmatchcase(block, word)
    letters, number = _split(block)
    return number is not None and letters.rstrip(".") == word


def _split(word: str) -> tuple[str, int | None]:
    """Return the letters of a word and the number at its end."""
    match = _PARTS.fullmatch(word)
    return (match[1], int(match[2])) if match else (word, None)


def _single(word: str, known: Mapping[str, str]) -> str | None:
    """Return the block `word`, also where its number is written without leading zeros."""
    if word in known:
        return known[word]
    letters, number = _split(word)
    if number is None:
        return None
    return next((one for key, one in known.items() if _split(key) == (letters, number)), None)


def _span(word: str, known: Mapping[str, str], names: Sequence[str]) -> Sequence[str]:
    """Return the blocks from one to another, if `word` is a range of them."""
    first, dash, last = word.partition("-")
    start = _single(first, known) if dash else None
    end = _single(last, known) or _single(_split(first)[0] + last, known) if start else None
    if start not in names or end not in names:
        return []
    low, high = sorted((names.index(start), names.index(end)))
    return names[low : high + 1]
