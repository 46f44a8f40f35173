"""Folded key lists: one line stands for many tensors of one shape.

A line is a pattern and a shape, ``input_blocks.{1,2}.0.{in,out}_layers.0.bias [320]``. In a
pattern ``{a,b}`` is either word and ``{0..11}`` every number of a range; a last word ``*`` is
``weight``, of the given shape, and ``bias``, of its first size. In a shape ``*`` is any size and
``4|9`` either one; a line without a shape takes any. A 1x1 convolution and a linear layer hold the
same numbers, so sizes of 1 at the end of a shape do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, Final, TypeAlias

# What one pattern may stand for: a slip such as {0..9999999} is told, not waited for.
_MOST: Final = 100_000

Shape: TypeAlias = tuple[int, ...]
# One size, the sizes that are allowed, or None for any; lists where it comes from JSON.
ShapeRule: TypeAlias = Sequence[int | Sequence[int] | None]


def expand(pattern: str) -> list[str]:
    """Return all names that `pattern` stands for, in order.

    Raises:
        ValueError: a range is none, or there are more names than any model has.
    """
    if "{" not in pattern:
        return [pattern]
    pieces: list[list[str]] = []
    for piece in pattern.split("{"):
        choices, closed, rest = piece.partition("}")
        if closed:
            pieces.append([word for choice in choices.split(",") for word in _range(choice)])
            pieces.append([rest])
        else:
            pieces.append([piece])
    if prod(map(len, pieces)) > _MOST:
        raise ValueError(pattern)
    return ["".join(words) for words in product(*pieces)]


def parse_line(line: str) -> tuple[str, ShapeRule | None]:
    """Split a line into its pattern and its shape rule (None: any shape)."""
    pattern, bracket, sizes = line.rstrip("]").rpartition(" [")
    if not bracket:
        return line, None
    return pattern, tuple(_size(word) for word in sizes.split(",") if word)


def expand_lines(lines: Iterable[str]) -> Iterator[tuple[str, ShapeRule | None]]:
    """Yield every name of a folded key list with its shape rule."""
    for line in lines:
        pattern, rule = parse_line(line)
        if pattern.endswith(".*"):
            for name in expand(pattern[:-1]):
                yield f"{name}weight", rule
                yield f"{name}bias", rule[:1] if rule else None
        else:
            for name in expand(pattern):
                yield name, rule


def count_names(line: str) -> int:
    """Return how many names a line of a key list stands for, without expanding it."""
    pattern, _ = parse_line(line)
    total = 2 if pattern.endswith(".*") else 1
    for piece in pattern.split("{")[1:]:
        choices = piece.partition("}")[0].split(",")
        total *= sum(len(_range(choice)) for choice in choices)
    return total


def packed(*numels: int) -> Shape:
    """Return the stand-in for the shape of a packed weight, of which only the size is known.

    Several sizes are those that it may have, the likeliest first.
    """
    return tuple(-numel for numel in numels)


def numel_of(shape: Shape) -> int:
    """Return the elements of a shape, or of a packed weight."""
    return -shape[0] if shape and shape[0] < 0 else prod(shape)


def fits(shape: Shape, rule: ShapeRule | None) -> bool:
    """Whether `shape` follows `rule`, sizes of 1 at the end aside."""
    if rule is None or shape == rule:
        return True
    if shape and shape[0] < 0:
        return any(_packed_fits(-size, rule) for size in shape)
    if len(shape) != len(rule):
        shape, rule = _trimmed(shape), _trimmed(rule)
        if len(shape) != len(rule):
            return False
    return all(_allowed(size, wanted) for size, wanted in zip(shape, rule, strict=True))


def _packed_fits(numel: int, rule: ShapeRule) -> bool:
    fixed = prod(size for size in rule if isinstance(size, int))
    if all(isinstance(size, int) for size in rule):
        return numel == fixed
    return fixed > 0 and numel % fixed == 0


def _range(choice: str) -> list[str]:
    first, dots, last = choice.partition("..")
    if not dots:
        return [choice]
    numbers = range(_number(first, choice), _number(last, choice) + 1)
    if len(numbers) > _MOST:
        raise ValueError(choice)
    return list(map(str, numbers))


def _size(word: str) -> int | tuple[int, ...] | None:
    if word == "*":
        return None
    sizes = tuple(_number(part, word) for part in word.split("|"))
    return sizes if len(sizes) > 1 else sizes[0]


def _number(text: str, where: str) -> int:
    if not text.isdecimal():
        raise ValueError(where)
    return int(text)


def _allowed(size: object, wanted: int | Sequence[int] | None) -> bool:
    return wanted is None or size == wanted or (not isinstance(wanted, int) and size in wanted)


def _trimmed(shape: Sequence[Any]) -> tuple[Any, ...]:
    end = len(shape)
    while end and shape[end - 1] == 1:
        end -= 1
    return tuple(shape[:end])
