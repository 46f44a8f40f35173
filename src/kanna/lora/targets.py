"""Which weights of a model a module changes, whatever names either of them uses.

Modules speak of layers in the names of some layout, with dots or with ``_``; the model at hand has
its tensors in one: its `Place`s know both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanna.families import family
from kanna.identity import Identity
from kanna.lora.modules import DIFFUSION, Module
from kanna.lora.places import Place, Slot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """What one module changes: the slots of its layer's weight and bias in one part."""

    module: Module
    word: str
    weights: tuple[Slot, ...]
    biases: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """The modules with their targets; `homeless` are for a part that is not there at all.

    `lost` are those whose part has no such layer.
    """

    found: tuple[Target, ...]
    lost: tuple[Module, ...] = ()
    homeless: tuple[Module, ...] = ()


def targets(modules: Sequence[Module], places: Sequence[Place], needs: Sequence[str]) -> Targets:
    """Return what each of `modules` changes in a model with these `places`.

    `needs` are the words of the parts that the architecture has, in order: its second text encoder
    is ``te2``.
    """
    found: list[Target] = []
    lost: list[Module] = []
    homeless: list[Module] = []
    for reach in dict.fromkeys(module.reach for module in modules):
        own = [module for module in modules if module.reach == reach]
        place = place_of(reach, places, needs)
        if place is None:
            homeless += own
            continue
        layout = place.layout_of(own)
        for module in own:
            weights, biases = place.find(module, layout), place.find_bias(module, layout)
            if weights or biases:
                found.append(Target(module=module, word=place.word, weights=weights, biases=biases))
            else:
                lost.append(module)
    return Targets(found=tuple(found), lost=tuple(lost), homeless=tuple(homeless))


def place_of(reach: str, places: Sequence[Place], needs: Sequence[str]) -> Place | None:
    """Return the part that `reach` speaks of, or None where the model has none of them."""
    word = part_word(reach, needs)
    if word is None:
        encoders = [place for place in places if place.word != DIFFUSION]
        return encoders[0] if len(encoders) == 1 else None
    return next((place for place in places if place.word == word), None)


def encoders_of(needs: Sequence[str]) -> list[str]:
    """Return the kinds of text encoders among the parts that an architecture needs, in order."""
    return [word for word in needs if word not in {DIFFUSION, "vae"}]


def part_word(reach: str, needs: Sequence[str]) -> str | None:
    """Return the part that `reach` means: of ``te``, ``te1``, ``te2`` … the kind of text encoder.

    FLUX's T5 is ``te3`` for kohya and ``te2`` for diffusers: what lies beyond the last is the last.
    """
    if reach == DIFFUSION:
        return DIFFUSION
    encoders = encoders_of(needs)
    number = int(reach.removeprefix("te") or 1)
    return encoders[min(number, len(encoders)) - 1] if encoders else None


def needs_of(identity: Identity) -> tuple[str, ...]:
    """Return the words of the parts that the model's architecture has."""
    known = family(identity.architecture) if identity.architecture else None
    return known.needs if known else identity.needs or ()
