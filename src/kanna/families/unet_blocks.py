"""The blocks of a Stable Diffusion UNet: which of one layout is which of the other.

Both layouts list the same blocks, level by level: residual blocks, all of a level with an attention
behind them or none, and a resampler at the end of each level but the last. The original (ldm)
counts them through in one line, diffusers by level and kind. How many there are is read off the
tensors at hand, so distilled UNets, which lack blocks, levels or the middle, are found as they are;
what no UNet can be, because something is missing, is refused. Sources: CompVis openaimodel.py,
Stability-AI generative-models, huggingface/diffusers unet_2d_blocks.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LDM: Final = re.compile(
    r"(?:(input|output)_blocks\.([0-9]{1,3})\.([0-9])|middle_block\.([0-9]))\.([a-z_]+)"
)
_DIFFUSERS: Final = re.compile(
    r"(?:(down|up)_blocks\.([0-9]{1,3})|mid_block)"
    r"\.(resnet|attention|downsampler|upsampler)s\.([0-9]{1,3})\."
)
# What the first word inside a block says of its kind.
_KINDS: Final = {
    **dict.fromkeys(("in_layers", "emb_layers", "out_layers", "skip_connection"), "resnet"),
    **dict.fromkeys(("norm", "proj_in", "proj_out", "transformer_blocks"), "attention"),
    "op": "downsampler",
    "conv": "upsampler",
}
BLOCK_KINDS: Final = frozenset(_KINDS.values())


class Unclear(ValueError):
    """The blocks do not make a UNet: the argument names the first that is missing or unknown."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its kind and its name in both layouts."""

    kind: str
    ldm: str
    diffusers: str

    def name(self, layout: str) -> str:
        """Return its name in `layout`."""
        return self.ldm if layout == "ldm" else self.diffusers


@dataclass(slots=True)
class _Level:
    """The steps of one level, each with or without an attention, and its resampler."""

    attentions: list[bool]
    resampled: bool = False


def unet_blocks(names: Iterable[str], layout: str) -> list[Block]:
    """Return the blocks of the UNet with these tensors.

    Raises:
        Unclear: a block is missing, or is of no known kind.
    """
    down, middle, up = _from_ldm(names) if layout == "ldm" else _from_diffusers(names)
    stems = ("input_blocks", "output_blocks") if layout == "ldm" else ("down_blocks", "up_blocks")
    for stem, levels in zip(stems, (down, up), strict=True):
        if any(len(set(level.attentions)) > 1 for level in levels):
            raise Unclear(stem)
    if not _skips_fit(down, up):
        raise Unclear(", ".join(stems))
    return [*_inputs(down), *_middle(middle), *_outputs(up)]


def _skips_fit(down: list[_Level], up: list[_Level]) -> bool:
    """Whether every output of the way down is taken on the way up, level by level.

    The first convolution's output and those of the downsamplers are among them.
    """
    made = [len(level.attentions) + 1 for level in down]
    taken = [len(level.attentions) for level in reversed(up)]
    return not made or not taken or made == taken


def _inputs(levels: list[_Level]) -> Iterable[Block]:
    number = 1
    for at, level in enumerate(levels):
        place = f"down_blocks.{at}"
        for step, attention in enumerate(level.attentions):
            yield Block("resnet", f"input_blocks.{number}.0", f"{place}.resnets.{step}")
            if attention:
                yield Block("attention", f"input_blocks.{number}.1", f"{place}.attentions.{step}")
            number += 1
        if level.resampled:
            yield Block("downsampler", f"input_blocks.{number}.0", f"{place}.downsamplers.0")
            number += 1


def _middle(attentions: list[bool]) -> Iterable[Block]:
    slot = 0
    for step, attention in enumerate(attentions):
        yield Block("resnet", f"middle_block.{slot}", f"mid_block.resnets.{step}")
        if attention:
            yield Block("attention", f"middle_block.{slot + 1}", f"mid_block.attentions.{step}")
        slot += 1 + attention


def _outputs(levels: list[_Level]) -> Iterable[Block]:
    number = 0
    for at, level in enumerate(levels):
        place = f"up_blocks.{at}"
        for step, attention in enumerate(level.attentions):
            yield Block("resnet", f"output_blocks.{number}.0", f"{place}.resnets.{step}")
            if attention:
                yield Block("attention", f"output_blocks.{number}.1", f"{place}.attentions.{step}")
            number += 1
        if level.resampled:
            slot = 1 + level.attentions[-1]
            yield Block("upsampler", f"output_blocks.{number - 1}.{slot}", f"{place}.upsamplers.0")


def _from_ldm(names: Iterable[str]) -> tuple[list[_Level], list[bool], list[_Level]]:
    kinds: dict[str, dict[tuple[int, int], str]] = {"input": {}, "middle": {}, "output": {}}
    for name in names:
        match = _LDM.match(name)
        if match is None or (match[1] == "input" and match[2] == "0"):
            continue
        side, number, slot, middle, word = match.groups()
        seen = kinds[side or "middle"]
        key = int(number or middle), int(slot or 0)
        seen[key] = seen.get(key) or _KINDS.get(word, "")
    down = _ldm_levels("input_blocks", kinds["input"], 1, "downsampler")
    up = _ldm_levels("output_blocks", kinds["output"], 0, "upsampler")
    return down, _ldm_middle(kinds["middle"]), up


def _ldm_levels(
    stem: str, kinds: dict[tuple[int, int], str], first: int, resampler: str
) -> list[_Level]:
    levels: list[_Level] = []
    open_level = False
    for number in range(first, max((number for number, _ in kinds), default=-1) + 1):
        here = [kinds[key] for key in sorted(kinds) if key[0] == number]
        if not open_level:
            levels.append(_Level([]))
        level = levels[-1]
        match here:
            case ["downsampler"] if resampler == "downsampler" and level.attentions:
                level.resampled = True
            case ["resnet"] | ["resnet", "attention"]:
                level.attentions.append(len(here) == 2)
            case ["resnet", "upsampler"] | ["resnet", "attention", "upsampler"]:
                level.attentions.append(len(here) == 3)
                level.resampled = True
            case _:
                raise Unclear(f"{stem}.{number}")
        open_level = not level.resampled
    return levels


def _ldm_middle(kinds: dict[tuple[int, int], str]) -> list[bool]:
    attentions: list[bool] = []
    for number in range(max((number for number, _ in kinds), default=-1) + 1):
        match kinds.get((number, 0)):
            case "resnet":
                attentions.append(False)
            case "attention" if attentions and not attentions[-1]:
                attentions[-1] = True
            case _:
                raise Unclear(f"middle_block.{number}")
    return attentions


def _from_diffusers(names: Iterable[str]) -> tuple[list[_Level], list[bool], list[_Level]]:
    found: dict[str, dict[tuple[int, str], set[int]]] = {"down": {}, "mid": {}, "up": {}}
    for name in names:
        if match := _DIFFUSERS.match(name):
            side, level, kind, step = match.groups()
            at = int(level) if side else 0
            found[side or "mid"].setdefault((at, kind), set()).add(int(step))
    middle = _diffusers_levels("mid_block", found["mid"], "")
    down = _diffusers_levels("down_blocks", found["down"], "downsampler")
    up = _diffusers_levels("up_blocks", found["up"], "upsampler")
    return down, middle[0].attentions if middle else [], up


def _diffusers_levels(
    stem: str, steps: dict[tuple[int, str], set[int]], resampler: str
) -> list[_Level]:
    levels = []
    for at in range(max((level for level, _ in steps), default=-1) + 1):
        resnets = steps.get((at, "resnet"), set())
        attentions = steps.get((at, "attention"), set())
        if not resnets or resnets != set(range(len(resnets))) or not attentions <= resnets:
            raise Unclear(f"{stem}.{at}")
        there = [step in attentions for step in range(len(resnets))]
        levels.append(_Level(there, resampled=(at, resampler) in steps))
    if not all(level.resampled for level in levels[:-1]):
        raise Unclear(f"{stem} {resampler}")
    return levels
