"""Numbers of a model's config, read off the names and shapes of its tensors.

A rule is a table with one main word; anything else is a constant. In its names, ``*`` stands for a
number; inside ``each`` the first one stands for the number at hand.

======================== ========================================================================
``size = NAME``          the length of the tensor along `axis` (0), times `times`, over `over`
                         (a number or another rule), at least `least`; `root` takes the square root
``count = NAME``         how many numbers stand at the last ``*``, among names that start so
``present = NAME``       `yes` (true) where a name starts so, else `no` (false); both may be rules
``rank = NAME``          whether the tensor has `is` dimensions
``where = NAME``         the list of numbers at ``*`` for which the tensor is there
``each = NAME``          the list of what `of` gives for every number at the last ``*``; `unset` is
                         what stands for ``none`` in it, or with `carry` the value before;
                         `uniform` makes one value of equal ones, `mirror` names a list of the
                         config whose mirror image need not be told
======================== ========================================================================

`size` and `rank` take a list of names too, of which the first that is there counts, and `other` for
the case that none is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import isqrt
from typing import Any, Final

Shapes = Mapping[str, tuple[int, ...]]
Rule = Mapping[str, Any]

_NOTHING: Final = "none"
# A longer one numbers no block, and Python would not make an int of an endless one.
_ANY_NUMBER: Final = "([0-9]{1,3})"


class Underivable(Exception):  # its message is the name of the tensor
    """A tensor that a rule measures is not there."""


def derive(rules: Mapping[str, Any], shapes: Shapes) -> dict[str, Any]:
    """Return the value of every rule for the tensors of `shapes`.

    Raises:
        Underivable: a tensor that a rule measures is not there.
    """
    values = {field: value_of(rule, shapes) for field, rule in rules.items()}
    for field, rule in rules.items():
        if isinstance(rule, Mapping) and "mirror" in rule:
            told = values.pop(field)
            if not _is_mirror(told, values[rule["mirror"]]):
                values[field] = _filled(told, rule)
    return {field: None if value == _NOTHING else value for field, value in values.items()}


def value_of(rule: object, shapes: Shapes, at: tuple[int, ...] = ()) -> Any:
    """Return what `rule` gives; `at` are the numbers of the enclosing ``each``.

    Raises:
        Underivable: a tensor that it measures is not there.
    """
    if not isinstance(rule, Mapping):
        return rule
    kind = next(word for word in _KINDS if word in rule)
    return _KINDS[kind](rule, shapes, at)


def _size(rule: Rule, shapes: Shapes, at: tuple[int, ...]) -> Any:
    shape = _shape(rule["size"], shapes, at)
    if shape is None:
        return _other(rule, rule["size"], shapes, at)
    length = shape[rule.get("axis", 0)] * rule.get("times", 1)
    length = isqrt(length) * rule.get("step", 1) if rule.get("root") else length
    return max(rule.get("least", 0), length // (value_of(rule.get("over", 1), shapes, at) or 1))


def _count(rule: Rule, shapes: Shapes, at: tuple[int, ...]) -> Any:
    return len(_numbers(rule["count"], shapes, at)) or value_of(rule.get("other", 0), shapes, at)


def _present(rule: Rule, shapes: Shapes, at: tuple[int, ...]) -> Any:
    start = re.compile(_bound(rule["present"], at))
    found = any(start.match(name) for name in shapes)
    return value_of(rule.get("yes", True) if found else rule.get("no", False), shapes, at)


def _rank(rule: Rule, shapes: Shapes, at: tuple[int, ...]) -> Any:
    shape = _shape(rule["rank"], shapes, at)
    return _other(rule, rule["rank"], shapes, at) if shape is None else len(shape) == rule["is"]


def _where(rule: Rule, shapes: Shapes, at: tuple[int, ...]) -> Any:
    return _numbers(rule["where"], shapes, at)


def _each(rule: Rule, shapes: Shapes, at: tuple[int, ...]) -> Any:
    values = [
        value_of(rule["of"], shapes, (*at, number)) for number in _numbers(rule["each"], shapes, at)
    ]
    if "mirror" not in rule:
        values = _filled(values, rule)
    if rule.get("uniform") and values and all(value == values[0] for value in values):
        return values[0]
    return values


_KINDS: Final[dict[str, Callable[[Rule, Shapes, tuple[int, ...]], Any]]] = {
    "size": _size,
    "count": _count,
    "present": _present,
    "rank": _rank,
    "where": _where,
    "each": _each,
}


def _other(rule: Rule, names: object, shapes: Shapes, at: tuple[int, ...]) -> Any:
    if "other" in rule:
        return value_of(rule["other"], shapes, at)
    raise Underivable(names if isinstance(names, str) else ", ".join(_listed(names)))


def _shape(names: object, shapes: Shapes, at: tuple[int, ...]) -> tuple[int, ...] | None:
    for pattern in _listed(names):
        whole = re.compile(_bound(pattern, at))
        for name, shape in shapes.items():
            if whole.fullmatch(name):
                return shape
    return None


def _listed(names: object) -> Sequence[str]:
    return [names] if isinstance(names, str) else list(names)  # type: ignore[call-overload]


def _numbers(pattern: str, shapes: Shapes, at: tuple[int, ...]) -> list[int]:
    """Return the numbers at the last ``*`` of a name's start, in order."""
    start = re.compile(_bound(pattern, at) + r"(?![^.])")
    found = (start.match(name) for name in shapes)
    return sorted({int(match[match.lastindex or 0]) for match in found if match})


@cache
def _bound(pattern: str, at: tuple[int, ...]) -> str:
    """Return `pattern` as a regular expression, its first ``*`` replaced by the numbers `at`."""
    for number in at:
        pattern = pattern.replace("*", str(number), 1)
    return _ANY_NUMBER.join(re.escape(piece) for piece in pattern.split("*"))


def _filled(values: Sequence[Any], rule: Rule) -> list[Any]:
    done: list[Any] = []
    for value in values:
        unset = done[-1] if done and rule.get("carry") else rule.get("unset", _NOTHING)
        done.append(unset if value == _NOTHING else value)
    return done


def _is_mirror(values: Sequence[Any], other: Any) -> bool:
    image = list(reversed(other)) if isinstance(other, list) else [other] * len(values)
    return len(image) == len(values) and all(
        value in (_NOTHING, there) for value, there in zip(values, image, strict=True)
    )
