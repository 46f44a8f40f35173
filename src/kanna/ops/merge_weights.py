"""The numbers of a recipe for each tensor of the leading model."""

from __future__ import annotations

from collections.abc import Mapping

from kanna.merging.recipe import Recipe, Step, Weight
from kanna.model import Note
from kanna.ops.merge_inputs import Opened


class Plain:
    """Numbers that are the same for every tensor."""

    notes: tuple[Note, ...] = ()

    def number(self, weight: Weight, name: str) -> float:
        """Return the number for the tensor `name`."""
        del name
        return weight.value

    def method(self, step: Step, name: str) -> str:
        """Return the method that `step` uses for the tensor `name`."""
        del name
        return step.method

    def tables(self, recipe: Recipe) -> Mapping[str, Mapping[str, float]]:
        """Return the numbers by block."""
        del recipe
        return {}


def weights_for(lead: Opened) -> Plain:
    """Return the numbers for `lead`."""
    del lead
    return Plain()
