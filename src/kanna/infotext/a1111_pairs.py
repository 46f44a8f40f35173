"""The pairs of an A1111 parameters line, with their places, and how a value is written there.

AUTOMATIC1111 reads ``key: value`` parted by commas; a value with commas is in the quotes of JSON.
What others write needs more: objects and lists without quotes (Civitai, Tiled Diffusion), words
without a value (a key that equals its value), and keys with other characters than letters.
Source: AUTOMATIC1111 modules/infotext_utils.py; what is in pictures of Civitai.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

# How a value stands in the text: bare is a word that is key and value; rider is JSON without
# quotes; block is all that follows a label at the start of a line.
Style: TypeAlias = Literal["plain", "quoted", "rider", "bare", "block"]

# What A1111 counts as a pair, but so that every run of letters is looked at once.
_COUNTED: Final = re.compile(
    r'(?<![\w \-/])[ \-/]*\w[\w \-/]+:\s*(?:"(?:\\.|[^\\"])+"|[^,\n]*)(?:,|$)'
)
_KEY: Final = re.compile(r'([^\s,:"][^,:"\n]*):[ \t]*')
_QUOTED: Final = re.compile(r'"(?:\\.|[^\\"\n])*"(?=\s*(?:,|$))')
_PLAIN: Final = re.compile(r"[^,\n]*")
_GAP: Final = re.compile(r"[\s,]*")
_END: Final = re.compile(r"\s*(?:,|$)")
_BRACKETS: Final = re.compile(r'"(?:\\.|[^\\"\n])*"|[\[\]{}]')
_NEEDS_QUOTES: Final = re.compile(r'[,:\n\r]|^["\s]|\s$')
_DECODER: Final = json.JSONDecoder()
# Keys whose values are JSON without quotes wherever they are written.
# Sources: civitai.com's generator; civitai/sd_civitai_extension; pkuliyi2015's Tiled Diffusion.
_RIDERS: Final = {"Civitai metadata", "Civitai resources", "Hashes", "Resources", "Tiled Diffusion"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pair and its places in the whole text: its beginning and end, and those of its value."""

    key: str
    value: str
    style: Style
    start: int
    value_start: int
    end: int


def count_pairs(line: str) -> int:
    """Return how many pairs A1111 sees in a line, three at most: with three it is parameters."""
    count = 0
    for _ in _COUNTED.finditer(line):
        count += 1
        if count == 3:
            break
    return count


def read_pairs(text: str, start: int, end: int) -> Iterator[Pair]:
    """Yield the pairs between `start` and `end`, which is one line; nothing there is wrong."""
    line = text[:end]  # the patterns must not look beyond it
    riders = True
    at = _skip(line, start)
    while at < end:
        pair = _pair(line, at, riders=riders)
        yield pair
        if riders and pair.style == "plain" and _opens(pair.value):
            # One that never closes leaves nothing closed behind it: others are not looked for.
            riders = _closing(line, pair.value_start) is not None
        at = _skip(line, pair.end)


def written(value: str, *, key: str = "", old: Style = "plain") -> str:
    """Return a value as it is written: in quotes where it has to be, or had been."""
    is_rider = old == "rider" or key in _RIDERS
    if is_rider and "\n" not in value and is_json(value):
        return value
    is_open = _opens(value) and _closing(value, 0) != len(value)
    if old == "quoted" or is_open or _NEEDS_QUOTES.search(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def _opens(value: str) -> bool:
    return value.startswith(("{", "["))


def _skip(line: str, at: int) -> int:
    gap = _GAP.match(line, at)
    assert gap
    return gap.end()


def _pair(line: str, at: int, *, riders: bool) -> Pair:
    key = _KEY.match(line, at)
    if key is None:
        word = _stretch(line, at)
        return Pair(
            key=word, value=word, style="bare", start=at, value_start=at, end=at + len(word)
        )
    begin = key.end()
    value, style, end = _value(line, begin, riders=riders)
    name = key[1].rstrip()
    return Pair(key=name, value=value, style=style, start=at, value_start=begin, end=end)


def _value(line: str, at: int, *, riders: bool) -> tuple[str, Style, int]:
    quoted = _QUOTED.match(line, at)
    if quoted:
        return _unquoted(quoted[0]), "quoted", quoted.end()
    if riders and line.startswith(("{", "["), at):
        end = _rider_end(line, at)
        if end is not None:
            return line[at:end], "rider", end
    plain = _stretch(line, at)
    return plain, "plain", at + len(plain)


def _stretch(line: str, at: int) -> str:
    """Return what stands before the next comma."""
    plain = _PLAIN.match(line, at)
    assert plain
    return plain[0].rstrip()


def _unquoted(text: str) -> str:
    """Return the string that JSON means, or `text` itself where that is none."""
    try:
        value = str(json.loads(text, strict=False))
        value.encode()
    except ValueError:
        return text
    return value


def _rider_end(line: str, at: int) -> int | None:
    """Return where the JSON, or what looks like it, ends that begins at `at`."""
    end: int | None
    try:
        _, end = _DECODER.raw_decode(line, at)
    except (ValueError, RecursionError):
        end = _closing(line, at)
    return end if end is not None and _END.match(line, end) else None


def _closing(line: str, at: int) -> int | None:
    """Return where the bracket at `at` is closed; Python's own notation of objects is read too."""
    depth = 0
    for match in _BRACKETS.finditer(line, at):
        depth += (match[0] in "[{") - (match[0] in "]}")
        if depth == 0:
            return match.end()
    return None


def is_json(value: str) -> bool:
    """Whether a text is nothing but an object or a list of JSON."""
    if not _opens(value):
        return False
    try:
        return _DECODER.raw_decode(value)[1] == len(value)
    except (ValueError, RecursionError):
        return False
