"""Weights: what a parameter is for each tensor of a model, by block and by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kanna.families.blocks import Blocks, Place
from kanna.merging.block_text import BlockNumbers, parse_blocks
from kanna.merging.block_words import Chosen, chosen_blocks, plain
from kanna.merging.element_text import ElementRule, parse_elements
from kanna.merging.recipe import Step, Weight
from kanna.model import Note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parsed:
    """A weight, read."""

    value: float
    blocks: BlockNumbers
    elements: tuple[ElementRule, ...]

    def number(self, place: Place, name: str) -> float:
        fitting = (rule.number for rule in self.elements[::-1] if rule.fits(place, name))
        found = next(fitting, None)
        return self.blocks.number(place, self.value) if found is None else found


class Weights:
    """The weights of recipes over a model with these `blocks`; each is read once.

    It is what `kanna.merging.graph` weighs with.
    """

    def __init__(self, blocks: Blocks) -> None:
        """Start without any weight."""
        self.blocks = blocks
        self._parsed: dict[Weight, _Parsed] = {}
        self._chosen: dict[str, Chosen] = {}

    def check(self, weight: Weight) -> None:
        """Read `weight`.

        Raises:
            UsageError: its blocks or elements cannot be read, or do not fit the model.
        """
        if weight not in self._parsed:
            self._parsed[weight] = _Parsed(
                value=weight.value, blocks=parse_blocks(weight.blocks, self.blocks),
                elements=parse_elements(weight.elements, self.blocks),
            )  # fmt: skip

    def number(self, weight: Weight, name: str) -> float:
        """Return the number for the tensor `name`.

        Raises:
            UsageError: see `check`.
        """
        place = self.blocks.place(name)
        if place is None or not (weight.blocks or weight.elements):
            return weight.value
        self.check(weight)
        return self._parsed[weight].number(place, name)

    def method(self, step: Step, name: str) -> str:
        """Return the method that `step` uses for the tensor `name`: the last pattern that fits.

        Raises:
            UsageError: a pattern names a block that the model does not have.
        """
        place, method = self.blocks.place(name), step.method
        for pattern, other in step.block_methods.items():
            if pattern not in self._chosen:
                self._chosen[pattern] = chosen_blocks(plain(pattern), self.blocks)
            if place is not None and self._chosen[pattern].has(place.words):
                method = other
        return method

    def place(self, name: str) -> Place | None:
        """Return where the tensor `name` is, if the model has it."""
        return self.blocks.place(name)

    def table(self, weight: Weight) -> Mapping[str, float]:
        """Return the number of each block, in order, and of narrower words that differ from it.

        Where numbers are given by the long list, its words. Rules by element are left out.

        Raises:
            UsageError: see `check`.
        """
        self.check(weight)
        numbers = self._parsed[weight].blocks
        if numbers.fine:
            return {word: _at(numbers, weight, (word,), word) for word in self.blocks.fine}
        common = self._common_words()
        table = {
            word: _at(numbers, weight, common.get(word, (word,))) for word in self.blocks.names
        }
        for place in self.blocks.places.values():
            value = _at(numbers, weight, place.words)
            if value != table[place.block]:
                table[place.words[-1]] = value
        return table

    def _common_words(self) -> Mapping[str, tuple[str, ...]]:
        """Return the words that all tensors of a block have."""
        common: dict[str, tuple[str, ...]] = {}
        for place in self.blocks.places.values():
            known = common.setdefault(place.block, place.words)
            common[place.block] = tuple(word for word in known if word in place.words)
        return common

    @property
    def notes(self) -> tuple[Note, ...]:
        """What should be said of the weights that were read, each once."""
        notes = {
            (note.key, *note.values.values()): note
            for parsed in self._parsed.values()
            for note in parsed.blocks.notes
        }
        return tuple(notes.values())


def _at(numbers: BlockNumbers, weight: Weight, words: tuple[str, ...], fine: str = "") -> float:
    place = Place(role="", architecture=None, path="", words=words, fine=fine)
    return numbers.number(place, weight.value)
