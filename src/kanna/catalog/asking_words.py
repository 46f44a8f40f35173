"""What people type for kinds, families, precisions …, as the library has it; a wrong word is told.

Other words for the same are those of `kanna explain`: ``model``, ``pony``, ``flux.1``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final

from kanna.catalog.conditions import Base, Family
from kanna.catalog.store import Library
from kanna.dtypes import WORDS
from kanna.errors import UsageError
from kanna.families import tables
from kanna.families.architectures import kinds as architectures
from kanna.families.words import meanings
from kanna.findings import RULES
from kanna.ops.shards import parse_size

CONTAINERS: Final = (
    "safetensors", "sharded-safetensors", "ckpt-zip", "ckpt-legacy", "ckpt-tar", "gguf",
    "diffusers",
)  # fmt: skip
# Programs' words for several containers.
_CONTAINERS: Final = {
    "ckpt": ("ckpt-zip", "ckpt-legacy", "ckpt-tar"),
    "sharded": ("sharded-safetensors",),
}
_DTYPES: Final = {"float32": "fp32", "float16": "fp16", "half": "fp16", "bfloat16": "bf16"}
_AGE: Final = re.compile(r"(\d{1,5})\s*([dwmy])")
_DAYS: Final = {"d": 1, "w": 7, "m": 30, "y": 365}
_DATES: Final = ("%Y", "%Y-%m", "%Y/%m")
_MANY: Final = 12


def kind_of(text: str) -> str:
    """Return the kind of file that `text` means.

    Raises:
        UsageError: none; it names those that there are.
    """
    known = ("checkpoint", *tables()["everywhere"]["kinds"], "unknown")
    if text in known:
        return text
    found = {one.name for one in meanings(text) if one.subject == "kind"}
    return _only(text, found, known, "--kind")


def family_of(text: str) -> Family:
    """Return the architecture that `text` means, with its variant where it is one.

    Raises:
        UsageError: none, or several; it names them.
    """
    if text in architectures():
        return Family(architecture=text)
    found = [one for one in meanings(text) if one.subject in {"family", "variant"}]
    names = list(dict.fromkeys((one.name, one.detail) for one in found))
    whole = [pair for pair in names if pair[1] is None]
    if len(whole or names) == 1:
        architecture, variant = (whole or names)[0]
        return Family(architecture=architecture, variant=variant)
    known = [f"{name} {variant}" for name, variant in names] or [*architectures()]
    raise _no_such_word("--family", text, known)


def base_of(text: str) -> Base:
    """Return the model that adapters are for: an architecture if `text` means one, else a name."""
    try:
        family = family_of(text)
    except UsageError:
        return Base(name=text)
    return Base(name=text) if family.variant else Base(architecture=family.architecture)


def dtype_of(text: str, library: Library) -> str:
    """Return the precision or quantisation that `text` means.

    Raises:
        UsageError: none; it names those that there are.
    """
    word = _DTYPES.get(text.lower(), text.lower())
    if word in WORDS:
        return word
    known = words_in(library, "file", "quantization")
    return _only(text, {word} & {*known}, [*WORDS, *known], "--precision")


def containers_of(text: str) -> tuple[str, ...]:
    """Return the containers that `text` means.

    Raises:
        UsageError: none; it names those that there are.
    """
    if text.lower() in _CONTAINERS:
        return _CONTAINERS[text.lower()]
    return (_only(text, {text.lower()} & {*CONTAINERS}, CONTAINERS, "--container"),)


def code_of(text: str) -> str:
    """Return the code of what `kanna check` finds.

    Raises:
        UsageError: there is no such code.
    """
    found = {rule.code for rule in RULES.values() if text.upper() == rule.code or text == rule.name}
    return _only(text, found, [*RULES], "--finding")


def tag_of(text: str, library: Library) -> str:
    """Return a tag of the library, in any case.

    Raises:
        UsageError: no model has it; it names the tags that there are.
    """
    known = words_in(library, "tag", "word")
    found = {text} & {*known} or {one for one in known if one.casefold() == text.casefold()}
    return _only(text, found, known, "--tag")


def variant_of(text: str, library: Library) -> str:
    """Return a variant that models of the library have.

    Raises:
        UsageError: no model is one; it names the variants that there are.
    """
    known = words_in(library, "file", "variant")
    return _only(text, {text.lower()} & {*known}, known, "--variant")


def time_of(text: str, option: str) -> float:
    """Return seconds since 1970 of a date (``2024``, ``2024-05-01``) or an age (``30d``, ``2w``).

    Raises:
        UsageError: it is neither.
    """
    if age := _AGE.fullmatch(text.strip().lower()):
        return (
            datetime.now().astimezone() - timedelta(days=int(age[1]) * _DAYS[age[2]])
        ).timestamp()
    for date in _dates(text.strip()):
        return date.astimezone().timestamp()
    raise UsageError("library_find.no_date", option=option, text=text)


def size_of(text: str, option: str) -> int:
    """Return the bytes of a size such as ``2GB``, ``500MiB`` or ``0``.

    Raises:
        UsageError: it is none.
    """
    try:
        return 0 if text.strip() == "0" else parse_size(text)
    except UsageError as error:
        raise UsageError("library_find.no_size", option=option, text=text) from error


def words_in(library: Library, table: str, column: str) -> list[str]:
    """Return every word that a column of the library holds, in order."""
    rows = library.rows(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
    return sorted(row[0] for row in rows)


def _dates(text: str) -> Iterator[datetime]:
    for form in _DATES:
        try:
            yield datetime.strptime(text, form)  # noqa: DTZ007 - of this place, as people mean it
        except ValueError:
            continue
    try:
        yield datetime.fromisoformat(text)
    except ValueError:
        return


def _only(text: str, found: Iterable[str], known: Iterable[str], option: str) -> str:
    words = sorted(found)
    if len(words) == 1:
        return words[0]
    raise _no_such_word(option, text, words or known)


def _no_such_word(option: str, text: str, known: Iterable[str]) -> UsageError:
    words = [*known]
    if not words:
        return UsageError("library_find.no_word_at_all", option=option, text=text)
    near = get_close_matches(text.lower(), words, n=3)
    shown = near or words[:_MANY]
    more = " …" * (len(words) > len(shown))
    return UsageError("library_find.no_such_word", option=option, text=text,
                      words=", ".join(shown) + more)  # fmt: skip
