"""Weights by block: what a list, a preset or a rule can be, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "translated": (
        "The {count} block weights are a list for {of}. This model takes {left} of them, by the "
        "names of the blocks; it has no {dropped}."
    ),
    "wrong_count": (
        "A list of {count} block weights does not fit this model.",
        "Give {lengths} numbers, or rules such as {example}=0.3; its blocks are {known}.",
    ),
    "no_lists": (
        "A list of {count} block weights says nothing here: nobody has laid down an order for the "
        "blocks of this model.",
        "Give rules by name instead, such as {example}=0.3; its blocks are {known}.",
    ),
    "no_depth": (
        "The preset {preset} cannot be drawn: this model has no numbered blocks.",
        "Give rules by name instead, such as {example}=0.3; its blocks are {known}.",
    ),
    "no_such_block": (
        "The model has no block {block}.",
        "Its blocks are {known}; see docs/blocks.md.",
    ),
    "no_such_block_but": (
        "The model has no block {block}.",
        "Did you mean {near}? Its blocks are {known}; see docs/blocks.md.",
    ),
    "none_named": (
        "{text} names no block.",
        "Name some before the number; they are {known}.",
    ),
    "too_long": (
        "The rules by block or by element have {length} characters, and {most} are the most.",
        "Use ranges and patterns, such as IN00-05=0.3 or OUT*=0.7, or a preset.",
    ),
    "no_number": (
        "{number} in {where} is no number.",
        "Write it with plain digits, such as 0.5.",
    ),
    "no_such_preset": (
        "There is no preset of block weights called {preset}.",
        "Did you mean {near}? Rules are written as IN00-05=0.3; docs/blocks.md shows all presets.",
    ),
    "no_rule": (
        "{rule} is no rule for blocks.",
        "Write blocks=number, such as IN00-05=0.3; the blocks are {known}.",
    ),
    "no_element": (
        "{rule} is no rule for elements.",
        "Write a part of a name and a number, such as attn2=0.2 or IN07:attn2=0.2.",
    ),
    "no_adjust": (
        "The colours of {architecture} cannot be adjusted: its latents are not known.",
        "adjust takes diffusion models of {known}.",
    ),
}
