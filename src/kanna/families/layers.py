"""Which layers a model has, asked for as adapters name them: by module path and widths.

An adapter stores what it adds to a layer under that layer's path, with dots or, in kohya's files,
with ``_`` in their place. Numbers aside, a path is a *template*: ``double_blocks_#_img_attn_qkv``.
The layers of a base come from its key list, or from a ``[[bases]]`` row where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kanna.families import tables
from kanna.families.keys import expand, parse_line
from kanna.families.rows import make_choices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kanna.families.keys import ShapeRule

_BRACES: Final = re.compile(r"\{([^}]*)\}")
# A choice of whole numbers between separators: it is a number of the template.
_NUMBERED: Final = re.compile(
    r"(?<![^._])\{([0-9]+(?:\.\.[0-9]+)?(?:,[0-9]+(?:\.\.[0-9]+)?)*)\}(?![^._])"
)
_SEPARATORS: Final = re.compile(r"[._]")
# No model has more blocks; a longer run of digits is part of a hostile name.
_MAX_DIGITS: Final = 4
_ROLES: Final = ("diffusion_model", "text_encoder")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """A model that adapters are made for, in one spelling of its layers.

    `written` is one of a ``[[bases]]`` row; it knows its variant better than a key list does.
    """

    role: str
    architectures: tuple[str, ...]
    variants: tuple[str, ...]
    lines: tuple[str, ...]
    written: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Its architecture, or ``architecture:variant`` for each variant of its own."""
        one = self.architectures[0] if len(self.architectures) == 1 else None
        return tuple(f"{one}:{word}" for word in self.variants if one) or self.architectures


class Layer(NamedTuple):
    """Layers of one template: their base, the numbers they bear, and their sizes."""

    base: Base
    numbers: tuple[frozenset[int], ...]
    sizes: ShapeRule | None

    @property
    def many(self) -> int:
        """How many layers these are."""
        return prod(map(len, self.numbers))

    def sized(self, out: int | None, into: int | None) -> bool:
        """Whether these layers have such widths (None: not known)."""
        if self.sizes is None:
            return True
        # A convolution may be flattened: its kernel then counts as width.
        area = prod(size for size in self.sizes[2:] if isinstance(size, int))
        return _is(out, self.sizes[0], 1) and _is(into, self.sizes[1], area)

    def has(self, numbers: tuple[int, ...]) -> bool:
        """Whether a layer with these numbers is among them."""
        return all(map(frozenset.__contains__, self.numbers, numbers))


def template(path: str) -> tuple[str, tuple[int, ...]]:
    """Return a module path with ``#`` for its numbers, and the numbers."""
    words, numbers = _SEPARATORS.split(path), []
    for at, word in enumerate(words):
        if _is_number(word):
            words[at] = "#"
            numbers.append(int(word))
    return "_".join(words), tuple(numbers)


def layers(path: str) -> list[Layer]:
    """Return the layers of all bases whose template is `path`."""
    return [*_index(_first(path)).get(path, ()), *_index("{").get(path, ())]


@cache
def bases() -> tuple[Base, ...]:
    """Return all bases that the tables know the layers of."""
    every = tables()
    listed = [
        _of_component(raw) for raw in every["components"] if "keys" in raw and raw["role"] in _ROLES
    ]
    written = [
        Base(
            role="diffusion_model",
            architectures=(raw["architecture"],),
            variants=tuple(raw.get("variants", ())),
            lines=tuple(filter(None, raw["lines"].split("\n"))),
            written=True,
        )
        for family in every["families"].values()
        for raw in family.get("bases", ())
    ]
    return (*listed, *written)


def _of_component(raw: dict[str, Any]) -> Base:
    own = tables()["families"][raw["family"]]["keys"]
    lines = (
        line.replace(".weight [", " [").replace(".* [", " [")
        for name in (*raw["keys"], *raw.get("optional", ()))
        for line in own[name].split("\n")
        if ".weight [" in line or ".* [" in line
    )
    # The last choice is what holds where nothing special is in the file.
    choices = make_choices(raw.get("variant", ())[-1:])
    return Base(
        role=raw["role"],
        architectures=tuple(raw.get("architectures", (raw.get("architecture", raw["family"]),))),
        variants=tuple(raw.get("variants", ())) or (choices[0].names if choices else ()),
        lines=tuple(line for line in lines if line.count(",", line.rfind("[")) > 0),
    )


@cache
def _index(first: str) -> dict[str, list[Layer]]:
    """Return the layers by template, of lines that begin with the word `first` or a brace."""
    found: dict[str, list[Layer]] = {}
    for base in bases():
        for line in base.lines:
            if line.startswith(first):
                for path, numbers, sizes in _folded(line):
                    found.setdefault(path, []).append(Layer(base, numbers, sizes))
    return found


@cache
def _folded(line: str) -> list[tuple[str, tuple[frozenset[int], ...], ShapeRule | None]]:
    """Return the templates that a line of a key list stands for, with numbers and sizes."""
    pattern, sizes = parse_line(line)
    ranges = [frozenset(map(int, expand(f"{{{words}}}"))) for words in _NUMBERED.findall(pattern)]
    pieces = _BRACES.split(_NUMBERED.sub("<>", pattern))
    choices = [expand(f"{{{one}}}") if at % 2 else [one] for at, one in enumerate(pieces)]
    return [(*_templated("".join(chosen), iter(ranges)), sizes) for chosen in product(*choices)]


def _templated(
    path: str, ranges: Iterator[frozenset[int]]
) -> tuple[str, tuple[frozenset[int], ...]]:
    """Return the template of a path and its numbers; ``<>`` stands for the next of `ranges`."""
    numbers = []
    words = _SEPARATORS.split(path)
    for at, word in enumerate(words):
        if word == "<>" or _is_number(word):
            words[at] = "#"
            numbers.append(next(ranges) if word == "<>" else frozenset({int(word)}))
    return "_".join(words), tuple(numbers)


def _first(path: str) -> str:
    return path.split("_", 1)[0]


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= _MAX_DIGITS and word.isascii()


def _is(size: int | None, rule: object, times: int) -> bool:
    if size is None or rule is None:
        return True
    allowed = (rule,) if isinstance(rule, int) else tuple(rule)  # type: ignore[arg-type]
    return size in allowed or any(size == times * one for one in allowed)
