"""What an A1111 text says, as typed values, and which program wrote it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from kanna.infotext.a1111_grammar import read_layout
from kanna.infotext.a1111_models import models_of
from kanna.infotext.a1111_pairs import Pair
from kanna.infotext.info import Dialect, GenerationInfo, Parameter
from kanna.model import Note

_WHOLE: Final = re.compile(r"[+-]?\d{1,100}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,100}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_SIZE: Final = re.compile(r"(\d{1,9})x(\d{1,9})")
# Keys that hold a prompt of their own.
_PROMPTS: Final = re.compile(r"(?i).+ (?:prompt|negative)(?: \d\w\w)?|(?:negative )?template")
# The first rule that fits says the dialect: a key that is there, and what its value begins with.
# Sources: SD.Next modules/processing_info.py; civitai.com's generator; the version strings of Forge
# (f2.0.1v1.10.1-…), Forge Neo (neo) and what only their modules/processing.py writes.
_DIALECTS: Final[tuple[tuple[str, str, Dialect], ...]] = (
    ("App", r"SD\.Next", "sdnext"),
    ("Backend", r"Diffusers|Original", "sdnext"),
    ("Civitai resources", "", "civitai"),
    ("Civitai metadata", "", "civitai"),
    ("Version", "Civitai", "civitai"),
    ("Version", r"f\d|neo|forge|classic", "forge"),
    ("Distilled CFG Scale", "", "forge"),
    ("Diffusion in Low Bits", "", "forge"),
)


def info_of(text: str) -> GenerationInfo:
    """Return what an A1111 text says; a value that is no number stays only a parameter."""
    layout = read_layout(text)
    parameters = tuple(Parameter(key=pair.key, value=pair.value) for pair in layout.pairs)
    pairs = {one.key: one.value for one in parameters}  # the last one counts, as in A1111
    prompt = layout.prompt.of(text)
    width, height = _size(pairs)
    broken = dict.fromkeys(pair.key for pair in layout.pairs if _is_broken(pair))
    notes = [*layout.notes]
    if broken:
        notes.append(Note("infotext_text.broken_quote", {"name": ", ".join(broken)}))
    return GenerationInfo(
        dialect=_dialect(pairs),
        prompt=prompt or None,
        negative=None if layout.negative is None else layout.negative.of(text),
        prompts={k: v for k, v in pairs.items() if v and _PROMPTS.fullmatch(k)},
        steps=_whole(pairs.get("Steps")),
        sampler=pairs.get("Sampler"),
        scheduler=pairs.get("Schedule type", pairs.get("Scheduler")),
        cfg_scale=_number(pairs.get("CFG scale")),
        distilled_cfg_scale=_number(pairs.get("Distilled CFG Scale")),
        seed=_whole(pairs.get("Seed")),
        width=width,
        height=height,
        denoising_strength=_number(pairs.get("Denoising strength")),
        clip_skip=_whole(pairs.get("Clip skip")),
        program=pairs.get("Version"),
        models=models_of(prompt, parameters),
        parameters=parameters,
        notes=tuple(notes),
    )


def _is_broken(pair: Pair) -> bool:
    return pair.style == "plain" and pair.value.startswith('"')


def _dialect(pairs: Mapping[str, str]) -> Dialect:
    for key, beginning, dialect in _DIALECTS:
        if key in pairs and re.match(beginning, pairs[key]):
            return dialect
    return "a1111"


def _whole(value: str | None) -> int | None:
    return int(value) if value and _WHOLE.fullmatch(value) else None


def _number(value: str | None) -> float | None:
    """Return the finite number that `value` is, or None."""
    if not value or not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _size(pairs: Mapping[str, str]) -> tuple[int | None, int | None]:
    match = _SIZE.fullmatch(pairs.get("Size", ""))
    return (int(match[1]), int(match[2])) if match else (None, None)
