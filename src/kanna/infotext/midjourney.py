"""Midjourney: a description that is the prompt, its options, and the number of the job."""

from __future__ import annotations

import re
from typing import Final

from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo, Parameter
from kanna.infotext.places import Place, Span, Texts
from kanna.infotext.values import text_of, whole_of
from kanna.infotext.written import Reading, Written

_JOB: Final = re.compile(r"(?<!\s)\s*Job ID: *([0-9a-f-]{36})\s*\Z")
_OPTION: Final = re.compile(
    r"\s--(\w+)(?: +((?!--)[^\s]+(?:[^\S\n]+(?!--)[^\s]+)*))?(?=\s+--|\s*\Z)"
)


def open_midjourney(texts: Texts) -> Editable | None:
    """Return the texts as Midjourney writes them, None where they are another's."""
    return Written.open(texts, _read)


def _read(texts: Texts) -> Reading | None:
    for number, one in enumerate(texts):
        job = _JOB.search(one.text) if one.keyword.lower() == "description" else None
        if job is not None:
            return _reading(number, one.text, job)
    return None


def _reading(number: int, text: str, job: re.Match[str]) -> Reading:
    said = text[: job.start()]
    options = list(_OPTION.finditer(said))
    end = options[0].start() if options else len(said)
    pairs: dict[str, tuple[Place, ...]] = {
        one[1]: (Span(text=number, start=one.start(2), end=one.end(), label=one.start()),)
        for one in options
        if one[2]
    }
    parameters = [Parameter(key=one[1], value=text_of(one[2]) or "") for one in options]
    values = {one.key: one.value for one in parameters}
    info = GenerationInfo(
        dialect="unknown",
        program="Midjourney",
        prompt=text_of(said[:end]),
        negative=values.get("no"),
        seed=whole_of(values.get("seed")),
        parameters=(*parameters, Parameter(key="Job ID", value=job[1])),
    )
    places = {"prompt": (Span(text=number, start=0, end=end, label=0),)}
    found = {"negative": pairs.get("no", ()), "seed": pairs.get("seed", ())}
    return Reading(info=info, places={**places, **found}, pairs=pairs)
