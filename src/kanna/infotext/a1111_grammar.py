r"""Which part of an A1111 text is the prompt, the negative prompt and the parameters.

::

    text   = prompt [ NL "Negative prompt: " negative ] NL parameters [ NL templates ]

AUTOMATIC1111 takes the last line for parameters when it sees three pairs in it, and whatever stands
behind the first line that begins with ``Negative prompt:`` for the negative prompt; there is no way
to quote either. So it is here, but for what programs disagree on:

- A line that begins with ``Steps: `` and a number is the parameters even when lines follow it, as
  SD.Next reads it: the Dynamic Prompts extension appends ``Template:`` and ``Negative Template:``.
- Such a last line is parameters with fewer than three pairs, too.
- A last line that begins with ``Negative prompt:`` never is: weights such as ``(bad: 1.2)`` look
  like pairs. Parameters may stand behind ``Steps: `` in it, where the negative prompt is empty.
- Where all stands on one line, as web pages give it away, ``Negative prompt:`` and ``Steps: ``
  begin their parts wherever they stand.

Sources: AUTOMATIC1111 modules/infotext_utils.py, SD.Next modules/infotext.py,
adieyal/sd-dynamic-prompts sd_dynamic_prompts/pnginfo_saver.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kanna.infotext.a1111_pairs import Pair, count_pairs, read_pairs
from kanna.model import Note

LABEL: Final = "Negative prompt:"
_LINE: Final = re.compile(r"[^\n]*")
_STEPS: Final = re.compile(r"Steps: ?\d+(?=\s*(?:,|$))")
_TEMPLATE: Final = re.compile(r"(?:Negative )?Template:")
_BLOCK: Final = re.compile(rf"(?:\n)[^\S\n]*({_TEMPLATE.pattern})")
_LABEL: Final = re.compile(rf"(?:^|\n)[^\S\n]*({LABEL})")
_LABEL_ANYWHERE: Final = re.compile(rf"(?:^|(?<=\s))({LABEL})")
# One of these in a line makes it sure that it is parameters.
_KNOWN: Final = {
    "Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash", "Clip skip", "Version",
    "Denoising strength", "Postprocess upscaler", "Civitai resources",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A place in the text, without the white space around it."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return what stands there, with plain line breaks."""
        return plain_lines(text[self.start : self.end])


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything is in a text.

    `label` is where the label of the negative prompt begins, `negative` what follows it.
    `parameters` is the line of pairs; `pairs` are also those that stand behind it.
    """

    prompt: Span
    label: int | None
    negative: Span | None
    parameters: Span | None
    pairs: tuple[Pair, ...]
    notes: tuple[Note, ...]


def plain_lines(text: str) -> str:
    """Return `text` with plain line breaks."""
    return "\n".join(line.rstrip("\r") for line in text.split("\n")) if "\r" in text else text


def read_layout(text: str) -> Layout:
    """Return where everything is in `text`; there is no text without a reading."""
    whole = _stripped(text, 0, len(text))
    lines = list(_lines(text, whole))
    line, notes = _parameters(text, lines)
    words = Span(start=whole.start, end=line.start if line else whole.end)
    one_line = line is not None and line.start > whole.start and "\n" not in text[: line.start]
    label, again = _label(text, words, anywhere=one_line)
    prompt = _stripped(text, words.start, words.end if label is None else label)
    negative = None if label is None else _stripped(text, label + len(LABEL), words.end)
    if again:
        notes.append(Note("infotext_text.negative_again"))
    pairs = (*read_pairs(text, line.start, line.end), *_blocks(text, line.end)) if line else ()
    return Layout(prompt=prompt, label=label, negative=negative, parameters=line, pairs=pairs,
                  notes=tuple(notes))  # fmt: skip


def _stripped(text: str, start: int, end: int) -> Span:
    """Return the span without white space at its ends; an empty one is at its beginning."""
    inner = text[start:end].strip()
    start += len(text[start:end]) - len(text[start:end].lstrip()) if inner else 0
    return Span(start=start, end=start + len(inner))


def _lines(text: str, whole: Span) -> Iterator[Span]:
    at = whole.start
    while at <= whole.end:
        line = _LINE.match(text, at, whole.end)
        assert line
        yield _stripped(text, at, line.end())
        at = line.end() + 1


def _parameters(text: str, lines: list[Span]) -> tuple[Span | None, list[Note]]:
    """Return the line of parameters, and what is odd about it."""
    last = lines[-1]
    if _STEPS.match(text, last.start, last.end):
        few = count_pairs(text[last.start : last.end]) < 3
        return last, [Note("infotext_text.few_pairs")] if few else []
    inside = _inside(text, last)
    if inside is not None:
        return inside, [Note("infotext_text.one_line")]
    for line, following in zip(lines[-2::-1], lines[::-1], strict=False):
        if _STEPS.match(text, line.start, line.end) and _has_three(text, line):
            is_template = _TEMPLATE.match(text, following.start)
            return line, [] if is_template else [Note("infotext_text.lines_after")]
    if text.startswith(LABEL, last.start) or not _has_three(text, last):
        return None, []
    known = any(pair.key in _KNOWN for pair in read_pairs(text, last.start, last.end))
    return last, [] if known else [Note("infotext_text.no_known")]


def _has_three(text: str, line: Span) -> bool:
    return count_pairs(text[line.start : line.end]) == 3


def _inside(text: str, line: Span) -> Span | None:
    """Return where parameters begin behind a prompt on the same line."""
    label = text.find(LABEL, line.start, line.end)
    match = _STEPS.search(text, max(label, line.start), line.end)
    if match is None or not text[match.start() - 1 : match.start()].isspace():
        return None
    # In parameters whose first is another one, a pair stands before.
    first = text[line.start : match.start()].partition(",")[0]
    found = Span(start=match.start(), end=line.end)
    return found if (label >= 0 or ":" not in first) and _has_three(text, found) else None


def _label(text: str, words: Span, *, anywhere: bool) -> tuple[int | None, bool]:
    """Return where the label of the negative prompt is, and whether there is another one."""
    pattern = _LABEL_ANYWHERE if anywhere else _LABEL
    found = [match.start(1) for match in pattern.finditer(text, 0, words.end)]
    return (found[0] if found else None), len(found) > 1


def _blocks(text: str, start: int) -> Iterator[Pair]:
    """Yield the templates behind the parameters: each goes to the next label, or the end."""
    found = list(_BLOCK.finditer(text, start))
    ends = [*(match.start() for match in found[1:]), len(text)]
    for match, end in zip(found, ends, strict=False):
        value = _stripped(text, match.end(), end)
        key = match[1].removesuffix(":")
        yield Pair(key=key, value=value.of(text), style="block", start=match.start(1),
                   value_start=value.start, end=value.end)  # fmt: skip
