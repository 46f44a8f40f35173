"""Every sentence that a person reads, by key, in English and Japanese.

A key is ``room.name``: the template ``name`` in ``en/room.py`` and ``ja/room.py``. Both files hold
the same names with the same placeholders (a test compares them). Templates of errors are pairs of
sentences: what is wrong, what to do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Final

LANGUAGES: Final = ("en", "ja")
_BYTES: Final = {"en": "bytes", "ja": "バイト"}
_MAX_SHOWN: Final = 160
_state: dict[str, str] = {}


def shown(value: object) -> str:
    r"""Return `value` as text that is safe to print: nothing unprintable, nothing endless.

    Names inside model files are written by strangers; terminal escapes, line breaks, bidirectional
    marks and lone surrogates come out as ``\x1b``-style escapes. The wide space of Japanese stays.
    """
    text = str(value)
    if not text.isprintable():
        text = "".join(map(_shown, text[: _MAX_SHOWN * 2]))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(str(value)):,})"


def _shown(character: str) -> str:
    plain = character.isprintable() or character == "\u3000"
    return character if plain else ascii(character)[1:-1]


def size_text(nbytes: float) -> str:
    """Return a size in decimal units, as disks and model pages count: ``2.13 GB``."""
    for unit in (_BYTES[language()], "KB", "MB", "GB"):
        if nbytes < 999.5:
            return f"{nbytes:.3g} {unit}"
        nbytes /= 1000
    return f"{nbytes:.3g} TB"


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending whole numbers as people list them: ``3, 6–9``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in runs)


def set_language(language: str | None) -> None:
    """Choose the language of all later sentences; `None` returns to the environment's choice."""
    _state.pop("language", None)
    if language in LANGUAGES:
        _state["language"] = language


def language() -> str:
    """Return the language in force: the one set, else ``KANNA_LANG``, else the locale's."""
    if "language" not in _state:
        names = ("KANNA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
        wanted = next((os.environ[name] for name in names if os.environ.get(name)), "en")
        _state["language"] = "ja" if wanted.lower().startswith("ja") else "en"
    return _state["language"]


def template(key: str) -> str | tuple[str, str]:
    """Return the raw template of `key` in the language in force.

    Raises:
        KeyError: no such key.
    """
    room, _, name = key.partition(".")
    texts: dict[str, str | tuple[str, str]]
    texts = import_module(f"kanna.messages.{language()}.{room}").TEXTS
    return texts[name]


def say(key: str, /, **values: object) -> str:
    """Return the sentence `key` with `values` filled in, each made safe to print.

    Raises:
        KeyError: no such key, or a placeholder without a value.
    """
    text = template(key)
    return (text if isinstance(text, str) else text[0]).format(**_safe(values))


def say_hint(key: str, /, **values: object) -> str:
    """Return the second sentence of an error's `key`: what the reader can do about it."""
    text = template(key)
    return "" if isinstance(text, str) else text[1].format(**_safe(values))


def _safe(values: dict[str, object]) -> dict[str, object]:
    return {k: v if isinstance(v, int | float) else shown(v) for k, v in values.items()}
