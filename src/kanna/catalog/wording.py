"""How text becomes the words that it is found by, and how what people type becomes a question.

The index is SQLite's FTS5 with the tokenizer ``unicode61``, which takes runs of letters and digits
for words. That is not how models are named or how Japanese is written, so the index holds more:

- ``AbyssOrangeMix3_A1B`` is also indexed from every place where people hear a new word, to its end:
  ``orangemix3a1b``, ``mix3a1b``. As words are looked for by their beginning, ``orange``,
  ``orangemix`` and ``mix3`` find it, and ``sdxl`` finds ``sd_xl_base``.
- Japanese, Chinese and Korean are indexed in pairs of letters that overlap, the last letter of a
  run alone: 美少女 is 美少, 少女, 女. Any part of a run is then a phrase of pairs, and a single
  letter is the beginning of a pair.

Both are made here, so that what is indexed and what is asked cannot differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Letters of scripts without spaces between words; Korean has them, and endings that stick.
_CJK: Final = (
    "々-〇ぁ-ゖゝ-ゟァ-ヺー-ヿㄅ-ㄯㆠ-ㆿㇰ-ㇿ㐀-䶿一-鿿豈-\ufaff가-힣\U00020000-\U0003ffff"
)
_WORDS: Final = re.compile(rf"[{_CJK}]+|(?:(?![{_CJK}])[^\W_])+")
_RUN: Final = re.compile(rf"[{_CJK}]")
# What people take for one name: words joined by these.
_NAMES: Final = re.compile(r"\w+(?:[._'’+-]+\w+)*")
# Where a new word begins inside of one: at capitals and at numbers.
_PIECES: Final = re.compile(r"\d+|[A-Z]+(?=[A-Z][^\W\dA-Z_])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+")
_MOST_PIECES: Final = 12  # more of them are a digest, and no name
_TYPED: Final = re.compile(r'(?P<no>-?)"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked for, as FTS5 expressions: what must occur, and what must not.

    None where nothing of the kind was typed.
    """

    wanted: str | None
    unwanted: str | None


def words_of(text: str) -> str:
    """Return the words by which `text` is found, with spaces between, as they are indexed."""
    plain: list[str] = []
    more: list[str] = []
    for name in _NAMES.findall(_normal(text)):
        words = _WORDS.findall(name)
        for word in words:
            plain += _tokens(word)
        if not all(word.isdigit() for word in words):
            more += _beginnings(words)
    there = set(plain)
    return " ".join([*plain, *(word for word in dict.fromkeys(more) if word not in there)])


def asked(text: str, *, whole: bool = False) -> Asked:
    """Return what the words in `text` ask for.

    Every word must occur, at least as the beginning of one, with `whole` as a whole one unless a
    ``*`` follows; a phrase in double quotes must occur as it is; ``-word`` and ``-"phrase"`` must
    not. Anything may be typed.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TYPED.finditer(_normal(text)):
        word, no = match["word"], match["no"]
        if word is None:
            (unwanted if no else wanted).extend(_phrase(match["phrase"], exact=True))
        elif word.startswith("-") and len(word) > 1:
            unwanted += _named(word[1:], whole=whole)
        else:
            wanted += _named(word, whole=whole)
    return Asked(wanted=" AND ".join(wanted) or None, unwanted=" OR ".join(unwanted) or None)


def query_of(text: str) -> str | None:
    """Return the FTS5 expression for `text`, as `asked` reads it, or None if nothing must occur."""
    question = asked(text)
    if question.wanted and question.unwanted:
        return f"({question.wanted}) NOT ({question.unwanted})"
    return question.wanted


def _normal(text: str) -> str:
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in composed if not unicodedata.combining(letter))


def _tokens(word: str) -> list[str]:
    """Return a word as the index has it: folded, a Japanese run in pairs."""
    if _RUN.match(word):
        return [word[number : number + 2] for number in range(len(word))]
    return [word.casefold()]


def _beginnings(words: list[str]) -> Iterator[str]:
    """Yield a name from every place where a word of it begins, to where it or its script ends.

    Then the pieces themselves, but numbers, for those who look for whole words.
    """
    pieces: list[str] = []
    for word in [*words, ""]:
        own = [] if _RUN.match(word) else _PIECES.findall(word)
        if not own or len(pieces) + len(own) > _MOST_PIECES:
            yield from ("".join(pieces[start:]) for start in range(len(pieces)))
            yield from (piece for piece in pieces if not piece.isdigit())
            pieces = []
        if len(own) <= _MOST_PIECES:
            pieces += [piece.casefold() for piece in own]


def _named(name: str, *, whole: bool) -> Iterator[str]:
    """Yield the expressions for a word as it was typed; one with joints is a phrase or one word."""
    exact = whole and not name.endswith("*")
    for part in _NAMES.findall(name):
        words = _WORDS.findall(part)
        joined = "".join(words).casefold()
        for phrase in _phrase(part, exact=exact):
            together = len(words) > 1 and not _RUN.search(part)
            begins = "*" * (not exact)
            yield f'({phrase} OR "{joined}"{begins})' if together else phrase


def _phrase(text: str, *, exact: bool = False) -> Iterator[str]:
    """Yield the phrase of the words in `text`, if there are any; its last one may be a beginning.

    With `exact` it may not. The last letter of a Japanese run stands for itself only where the
    run must end there, which is before another word.
    """
    words = _WORDS.findall(text)
    if not words:
        return
    tokens = [token for word in words for token in _tokens(word)]
    japanese = bool(_RUN.match(words[-1]))
    if japanese and len(words[-1]) > 1:
        tokens.pop()
    alone = len(words[-1]) == 1 if japanese else not exact
    yield f'"{" ".join(tokens)}"' + "*" * alone
