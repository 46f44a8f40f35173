"""What ``--blocks`` takes: a list of numbers, a preset, rules by block, and rules after either."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from kanna.errors import UsageError
from kanna.families.blocks import BASE, VAE, Blocks, Foreign, Place
from kanna.merging.block_words import (
    Chosen,
    chosen_blocks,
    example,
    examples,
    is_number,
    number_in,
    plain,
)
from kanna.merging.presets import Preset, preset_called
from kanna.model import Note

_ITEMS: Final = re.compile(r"[,;\n]")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockNumbers:
    """A number for some blocks: `values` by word, then `rules`, of which the last that fits counts.

    With `fine` the values are by the words of the long list.
    """

    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    fine: bool = False
    rules: tuple[tuple[Chosen, float], ...] = ()
    notes: tuple[Note, ...] = ()

    def number(self, place: Place, value: float) -> float:
        """Return the number for a tensor at `place`; `value` where nothing is said."""
        words = (place.fine,) if self.fine else place.words[::-1]  # narrower words go first
        value = next((self.values[word] for word in words if word in self.values), value)
        fitting = (number for chosen, number in self.rules[::-1] if chosen.has(place.words))
        return next(fitting, value)


def parse_blocks(text: str, blocks: Blocks) -> BlockNumbers:
    """Return the numbers that `text` gives to the blocks of a model.

    ::

        0.5, 0, 0.1, …            a number for each block, in the order of the model's lists
        GRAD_V                    a preset; GRAD_V~FLAT_25@0.3 is 0.3 of the way to another one
        IN00-05=0.3, OUT*=0.7     rules; NOT before blocks means the others; the last one counts
        GRAD_V, M00=0.5           rules may follow numbers and presets

    Raises:
        UsageError: it cannot be read, or does not fit the model; says what would.
    """
    items = [item for item in map(str.strip, _ITEMS.split(plain(text))) if item]
    at = next((at for at, item in enumerate(items) if not _is_list(item)), len(items))
    numbers = [number_in(word, text) for item in items[:at] for word in item.split()]
    rest = items[at:]
    start = BlockNumbers()
    if numbers:
        start = _of_list(numbers, blocks)
    elif rest and "=" not in rest[0]:
        start = _of_preset(rest.pop(0), blocks)
    return replace(start, rules=tuple(_rule(item, blocks) for item in rest))


def _is_list(item: str) -> bool:
    return all(map(is_number, item.split()))


def _rule(item: str, blocks: Blocks) -> tuple[Chosen, float]:
    names, sign, number = item.partition("=")
    if not sign:
        raise UsageError("blocks.no_rule", rule=item, known=examples(blocks))
    return chosen_blocks(names, blocks), number_in(number.strip(), item)


def _of_list(numbers: Sequence[float], blocks: Blocks) -> BlockNumbers:
    """Return the numbers of a list; a VAE that it leaves out goes with BASE, as in SuperMerger."""
    count = len(numbers)
    words, foreign = blocks.lists.get(count), blocks.foreign.get(count)
    notes: tuple[Note, ...] = ()
    if words is None:
        if foreign is None:
            raise _wrong_count(count, blocks)
        words, notes = foreign.words, (_translated(foreign, blocks),)
    values = dict(zip(words, numbers, strict=True))
    if BASE in values:
        values.setdefault(VAE, values[BASE])
    return BlockNumbers(values=values, fine=words == blocks.fine, notes=notes)


def _translated(foreign: Foreign, blocks: Blocks) -> Note:
    dropped = [word for word in foreign.words if word not in blocks.names]
    left = len(foreign.words) - len(dropped)
    values = {"count": len(foreign.words), "of": foreign.of, "left": left,
              "dropped": ", ".join(dropped)}  # fmt: skip
    return Note("blocks.translated", values, warning=False)


def _wrong_count(count: int, blocks: Blocks) -> UsageError:
    lengths = ", ".join(map(str, sorted({*blocks.lists, *blocks.foreign})))
    if not lengths:
        return UsageError("blocks.no_lists", count=count, example=example(blocks),
                          known=examples(blocks))  # fmt: skip
    return UsageError("blocks.wrong_count", count=count, lengths=lengths, example=example(blocks),
                      known=examples(blocks))  # fmt: skip


def _of_preset(text: str, blocks: Blocks) -> BlockNumbers:
    """Return what a preset, or a place between two, gives to the blocks."""
    if not blocks.depth:
        raise UsageError("blocks.no_depth", preset=text, example=example(blocks),
                         known=examples(blocks))  # fmt: skip
    curves, steps = _curves(text), len(blocks.depth)
    values = {
        word: sum(share * preset.at(step, steps) for preset, share in curves)
        for step, words in enumerate(blocks.depth)
        for word in words
    }
    if all(preset.base for preset, _ in curves):
        values[BASE] = values[VAE] = values[blocks.depth[0][0]]
    return BlockNumbers(values=values)


def _curves(text: str) -> list[tuple[Preset, float]]:
    """Return the presets that `text` names, each with its share."""
    first, between, rest = text.partition("~")
    if not between:
        return [(preset_called(first.strip()), 1.0)]
    second, at, share = rest.partition("@")
    part = number_in(share.strip(), text) if at else 0.5
    return [(preset_called(first.strip()), 1 - part), (preset_called(second.strip()), part)]
