"""Changes of an A1111 text as splices: what is not changed stays byte for byte.

Every change is read back before it is given away: the grammar has no way to quote prompts, so some
would be read as something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from kanna.errors import Incompatible
from kanna.infotext.a1111_grammar import LABEL, Layout, plain_lines, read_layout
from kanna.infotext.a1111_pairs import Pair, written

_GOOD_KEY: Final = re.compile(r'[^\s,:"](?:[^,:"\n\r]*[^\s,:"])?')
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a text says, to compare before and after a change."""

    prompt: str
    negative: str
    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Return what `text` says."""
        layout = read_layout(text)
        return cls(
            prompt=layout.prompt.of(text),
            negative=layout.negative.of(text) if layout.negative else "",
            pairs=tuple((pair.key, pair.value) for pair in layout.pairs),
        )


def with_prompt(text: str, prompt: str) -> str:
    """Return `text` with another prompt.

    Raises:
        Incompatible: it would be read as something else.
    """
    wanted = replace(Words.of(text), prompt=plain_lines(prompt).strip())
    text = _unfolded(text)
    span = read_layout(text).prompt
    behind = text[span.end :]
    if not wanted.prompt:
        behind = behind.lstrip()
    elif span.start == span.end and behind.strip():
        behind = _newline(text) + behind.lstrip()
    new = text[: span.start] + _lines(text, wanted.prompt) + behind
    return _checked(new, wanted, "infotext_text.bad_prompt")


def with_negative(text: str, negative: str) -> str:
    """Return `text` with another negative prompt; without one, its label goes too.

    Raises:
        Incompatible: it would be read as something else.
    """
    wanted = replace(Words.of(text), negative=plain_lines(negative).strip())
    text = _unfolded(text)
    layout = read_layout(text)
    span, words = layout.negative, _lines(text, wanted.negative)
    if span is None or layout.label is None:
        new = _with_label(text, layout, words) if words else text
    elif not words:
        new = _joined(text, text[: layout.label], text[span.end :])
    elif span.start < span.end:
        new = text[: span.start] + words + text[span.end :]
    else:
        end = layout.label + len(LABEL)
        new = f"{text[:end]} {words}" + text[end:].lstrip(" \t")
    return _checked(new, wanted, "infotext_text.bad_negative")


def with_pair(text: str, key: str, value: str) -> str:
    """Return `text` with this pair: in every place of its key, else behind the last of the line.

    Raises:
        Incompatible: A1111's texts cannot hold it.
    """
    if not is_key(key):
        raise Incompatible("infotext_text.bad_key", name=key)
    layout, words = read_layout(text), Words.of(text)
    olds = [pair for pair in layout.pairs if pair.key == key]
    if any(pair.style == "block" for pair in olds):
        value = plain_lines(value).strip()
    if not olds:
        return _with_new_pair(text, layout, words, (key, value))
    pairs = tuple((k, value if k == key else v) for k, v in words.pairs)
    for pair in reversed(olds):
        text = text[: pair.start] + _spelled(text, pair, value) + text[pair.end :]
    return _checked(text, replace(words, pairs=pairs), "infotext_text.bad_pair", key)


def without_pair(text: str, key: str) -> str:
    """Return `text` without any pair of this key.

    Raises:
        Incompatible: what is left would not be read as parameters any more.
    """
    words, layout = Words.of(text), read_layout(text)
    wanted = replace(words, pairs=tuple((k, v) for k, v in words.pairs if k != key))
    for pair in reversed(layout.pairs):
        if pair.key == key:
            text = _cut(text, pair, layout)
    return _checked(text, wanted, "infotext_text.too_few_left", key)


def is_key(key: str) -> bool:
    """Whether a pair in this grammar can have such a key."""
    return bool(_GOOD_KEY.fullmatch(key))


def _checked(text: str, wanted: Words, message: str, name: str = "") -> str:
    """Return `text` if it says what it shall.

    Raises:
        Incompatible: it does not; `message` says why.
    """
    if Words.of(text) != wanted:
        raise Incompatible(message, name=name)
    return text


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _lines(text: str, value: str) -> str:
    """Return `value` with the line breaks of `text`."""
    return value.replace("\n", _newline(text))


def _joined(text: str, before: str, behind: str) -> str:
    """Return both on lines of their own; what is blank needs none."""
    before, behind = before.rstrip(), behind.lstrip()
    return before + (_newline(text) if before and behind else "") + behind


def _unfolded(text: str) -> str:
    """Return `text` with the negative prompt and the parameters on lines of their own."""
    layout = read_layout(text)
    starts = (layout.parameters.start if layout.parameters else 0, layout.label or 0)
    for at in starts:
        before = text[:at].rstrip(" \t")
        if before.strip() and not before.endswith("\n"):
            text = _joined(text, before, text[at:])
    return text


def _with_label(text: str, layout: Layout, words: str) -> str:
    line, at = f"{LABEL} {words}", layout.prompt.end
    if layout.prompt.start == at:
        return text[:at] + (_joined(text, line, text[at:]) if text[at:].strip() else line)
    return text[:at] + _newline(text) + line + text[at:]


def _with_new_pair(text: str, layout: Layout, words: Words, pair: tuple[str, str]) -> str:
    key, value = pair
    in_line = [one for one in layout.pairs if one.style != "block"]
    spelled = f"{key}: {written(value, key=key)}"
    if in_line:
        end = in_line[-1].end
        new = f"{text[:end]}, {spelled}{text[end:]}"
    else:
        content = text.rstrip()
        new = _joined(text, content, spelled) + text[len(content) :]
    pairs = (*words.pairs[: len(in_line)], pair, *words.pairs[len(in_line) :])
    return _checked(new, replace(words, pairs=pairs), "infotext_text.bad_pair", key)


def _spelled(text: str, pair: Pair, value: str) -> str:
    """Return the whole pair with another value, in the way in which it was written."""
    label = text[pair.start : pair.value_start]
    if pair.style == "block":
        return label + _lines(text, value)
    if pair.style == "bare":
        return pair.key if value == pair.key else f"{pair.key}: {written(value)}"
    return label + written(value, key=pair.key, old=pair.style)


def _cut(text: str, pair: Pair, layout: Layout) -> str:
    """Return `text` without a pair and without one of the commas beside it."""
    before, behind = text[: pair.start], text[pair.end :]
    assert layout.parameters
    if pair.style != "block" and before[layout.parameters.start :].strip():
        return before.rstrip(" \t").removesuffix(",") + behind
    comma = _COMMA.match(behind)
    if pair.style != "block" and comma:
        return before + behind[comma.end() :]
    return before.rstrip() + behind
