"""InvokeAI before ``sd-metadata``: a command line under ``Dream``, the prompt in quotes.

Source: ldm/invoke/args.py of InvokeAI 2.x (`dream_prompt_str`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo, Parameter
from kanna.infotext.invokeai_brackets import BracketPlace, parted
from kanna.infotext.places import Place, Span, Texts
from kanna.infotext.values import as_field, text_of
from kanna.infotext.written import Reading, Written

_LINE: Final = re.compile(r'\s*"(.*)"(?=\s|\Z)(.*)\Z', re.DOTALL)
_OPTION: Final = re.compile(r"(?<!\S)-(?:-(?P<long>\w+)(?:[ =]|\Z)|(?P<short>[A-Za-z])) ?"
                            r"(?P<value>[^\s-]\S*)?")  # fmt: skip
_WORDS: Final = {
    "s": "steps", "steps": "steps",
    "S": "seed", "seed": "seed",
    "W": "width", "width": "width",
    "H": "height", "height": "height",
    "C": "cfg_scale", "cfg_scale": "cfg_scale",
    "A": "sampler", "sampler": "sampler",
    "f": "denoising_strength", "strength": "denoising_strength",
}  # fmt: skip


def open_dream(texts: Texts) -> Editable | None:
    """Return the texts as InvokeAI 1 and 2 write them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    for number, one in enumerate(texts):
        line = _LINE.match(one.text) if one.keyword.lower() == "dream" else None
        if line is not None:
            return _reading(number, one.text, line)
    return None


def _reading(number: int, text: str, line: re.Match[str]) -> Reading:
    prompt, negative = parted(text_of(line[1]) or "")
    values: dict[str, Any] = {}
    places: dict[str, tuple[Place, ...]] = {}
    pairs: dict[str, tuple[Place, ...]] = {}
    parameters = []
    for option in _OPTION.finditer(text, line.start(2)):
        key, value = option["long"] or option["short"], option["value"] or ""
        parameters.append(Parameter(key=key, value=text_of(value) or ""))
        start = option.start("value") if value else option.end()
        pairs[key] = (Span(text=number, start=start, end=option.end(), label=_left(text, option)),)
        word = _WORDS.get(key, "")
        if word and (field := as_field(word, value)) is not None:
            values[word], places[word] = field, pairs[key]
    span = Span(text=number, start=line.start(1), end=line.end(1), label=line.start(1))
    for name, is_negative in (("prompt", False), ("negative", True)):
        places[name] = (BracketPlace(place=span, negative=is_negative),)
    info = GenerationInfo(
        dialect="invokeai", prompt=prompt, negative=negative, parameters=tuple(parameters)
    )
    return Reading(info=replace(info, **values), places=places, pairs=pairs)


def _left(text: str, option: re.Match[str]) -> int:
    """Return where an option begins, with the space before it."""
    return option.start() - (text[option.start() - 1] == " ")
