"""Several LoRAs under the names of one dialect and layout: then one layer has one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kanna.errors import Incompatible
from kanna.families import family
from kanna.lora.dialects import Dialect
from kanna.lora.modules import Module
from kanna.lora.references import reference
from kanna.lora.remade import dialect_of
from kanna.lora.targets import part_word
from kanna.lora.writing import dialect_called, part_named


def alike(
    several: Sequence[Sequence[Module]], dialect: str | None, architecture: str | None
) -> tuple[list[list[Module]], Dialect | None]:
    """Return the modules of all LoRAs under names of one layout, and the dialect that they are in.

    Raises:
        Incompatible: they are spelled differently, and nobody knows the model or one of its layers.
    """
    own, known = dialect_of(several[0]), family(architecture or "")
    if len({_spelling(modules, architecture) for modules in several}) == 1:
        return [list(modules) for modules in several], own
    if architecture is None or known is None:
        raise Incompatible("lora_making.spelled_differently")
    target = dialect_called(dialect or (own.name if own else "kohya"))
    made: list[list[Module]] = []
    for modules in several:
        laid = [
            part_named([one for one in modules if one.reach == reach], reach, target,
                       architecture, known.needs)
            for reach in dict.fromkeys(module.reach for module in modules)
        ]  # fmt: skip
        made.append([replace(one, reach=start, name=start + one.path)
                     for start, some in laid for one in some])  # fmt: skip
    return made, target


def _spelling(
    modules: Sequence[Module], architecture: str | None
) -> tuple[str | None, tuple[tuple[str, str | None], ...]]:
    """Return what tells two spellings apart: the dialect, and the layout of each part."""
    dialect = dialect_of(modules)
    known_model = family(architecture or "")
    needs = known_model.needs if known_model else ()
    parts: dict[str, str | None] = {}
    for reach in dict.fromkeys(module.reach for module in modules) if architecture else ():
        some = [module for module in modules if module.reach == reach]
        word = part_word(reach, needs)
        known = reference(word, architecture or "", dialect_called("kohya"), some) if word else None
        parts[reach] = known.place.layout_of(some) if known else None
    return dialect.name if dialect else None, tuple(sorted(parts.items()))
