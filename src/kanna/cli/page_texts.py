"""The texts that pages of `kanna explain` are made of: sections, folders, numbers, ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from kanna.cli.output import count_text, styled, wrapped
from kanna.cli.report import facts_lines
from kanna.families import title
from kanna.families.pages import Facts
from kanna.families.places import UIS, Place, folders
from kanna.messages import say, shown, size_text

_MANY: Final = 6
_OFF: Final = (1, 1)


def text_lines(texts: Sequence[str]) -> list[str]:
    """Return paragraphs, folded under two spaces."""
    return [f"  {wrapped(text, 2)}" for text in texts]


def folder_rows(kinds: Sequence[str]) -> list[list[str]]:
    """Return a row for each kind: its name, and the folder that each UI keeps it in."""
    rows = []
    for kind in dict.fromkeys(kinds):
        known = [f"{UIS[ui]} {folder}" for ui, folder in folders(kind).items()]
        if known:
            rows.append([say(f"inspect.part_{kind}"), " · ".join(known)])
    return rows


def titles(names: Sequence[str], *, verbose: bool = False) -> str:
    """Return the names that people use for families, not all of many."""
    some = names if verbose else names[:_MANY]
    text = ", ".join(map(title, some))
    left = len(names) - len(some)
    return say("explain.and_more", names=text, count=left) if left else text


def place_texts(place: Place, *names: str) -> Iterator[str]:
    """Yield what there is to say about a part: `names` and its files, its home, its size."""
    if names or place.files:
        yield ": ".join(filter(None, [*names, ", ".join(place.files)]))
    pieces = [place.repository or ""]
    if place.parameters:
        count = round(place.parameters * 10**9)
        size = size_text(2 * count)
        pieces.append(say("explain.size_fp16", count=count_text(count), size=size))
    if any(pieces):
        yield " · ".join(filter(None, pieces))


def section(name: str, rows: list[list[str]]) -> list[str]:
    """Return rows of a label and a text under a heading, nothing where there are none."""
    return [styled(say(f"explain.section_{name}"), "bold"), *facts_lines(rows)] if rows else []


def pixels_text(resolution: int | None) -> str:
    """Return a size in pixels."""
    return say("explain.pixels", pixels=resolution) if resolution else ""


def number_text(value: float | None) -> str:
    """Return a number as short as it can be said."""
    return "" if value is None else f"{value:g}"


def range_text(pair: tuple[float, float] | None) -> str:
    """Return a pair of numbers, or one where both are the same."""
    if pair is None:
        return ""
    low, high = map(number_text, pair)
    return low if low == high else say("explain.range", low=low, high=high)


def guidance_text(facts: Facts) -> str:
    """Return how strongly the prompt is to be followed, in the words of the model's kind."""
    if facts.guidance is None:
        return ""
    if facts.guidance == _OFF:
        return say("explain.guidance_off")
    how = "value" if facts.distilled == "guidance" else "scale"
    return say(f"explain.guidance_{how}", value=range_text(facts.guidance))


def fields_text(pairs: Sequence[tuple[str, str]]) -> str:
    """Return metadata fields, each with all that it may contain."""
    keys = dict.fromkeys(key for key, _ in pairs)
    texts = {key: ", ".join(value for name, value in pairs if name == key) for key in keys}
    return " · ".join(f"{key}: {text}" for key, text in texts.items())


def beside(words: Sequence[str], texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield rows of words beside texts, as many as the longer of both has."""
    labels = [*(f"{shown(word)} /" for word in words[:-1]), shown(words[-1])]
    yield from map(list, zip_longest(labels, texts, fillvalue=""))
