"""Edits of metadata as pure data: what is set, what is taken out, what that changes.

A word such as ``title`` stands for its field of ModelSpec; any other key is taken as it is, if it
looks like one or is there already, so that a slip of the fingers makes no new field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from kanna.errors import UsageError
from kanna.messages import say
from kanna.metadata.forms import Malformed
from kanna.metadata.keeping import holds_path, is_needed, is_public, leaks
from kanna.metadata.modelspec import key_of, words, written
from kanna.model import Note

_TRAINED: Final = "ss_"
_LEGACY_HASH: Final = "sshs_legacy_hash"
_VERSION: Final = "modelspec.sai_model_spec"  # whichever is there will do
_LONGEST_KEY: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Metadata after an edit, and what a person should know about it.

    `reasons` has, of what was taken out as private, the word for what it told.
    """

    fields: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field before and after; None where it is not there."""

    key: str
    old: str | None
    new: str | None


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what differs, in the order of the new fields, what was taken out last."""
    keys = [*new, *(key for key in old if key not in new)]
    return tuple(
        Change(key=key, old=old.get(key), new=new.get(key))
        for key in keys if old.get(key) != new.get(key)
    )  # fmt: skip


def resolved(path: Path, given: Mapping[str, object], old: Mapping[str, str]) -> dict[str, str]:
    """Return `given` by full keys, each value as text in the form of its field.

    Raises:
        UsageError: a key is none, a value is no text, or does not have the form of its field.
    """
    fields: dict[str, str] = {}
    for word, value in given.items():
        key = _key(path, word, old)
        text = _as_text(path, key, value)
        try:
            fields[key] = written(key, text)
        except Malformed as error:
            raise UsageError("meta.malformed", path=path, key=key, value=text[:80],
                             form=say(error.key)) from error  # fmt: skip
    return fields


def with_fields(old: Mapping[str, str], fields: Mapping[str, str], gaps: Mapping[str, str]) -> Edit:
    """Return `old` with `fields` set, and with `gaps` where it has nothing yet."""
    new = dict(old)
    notes = []
    for key, value in gaps.items():
        if not new.get(key, "").strip():
            new[key] = value
        elif key not in fields and new[key] != value and key != _VERSION:
            notes.append(Note("meta.kept", {"key": key}, warning=False))
    new |= fields
    return _consistent(old, new, notes)


def without(
    path: Path,
    old: Mapping[str, str],
    patterns: Iterable[str],
    *,
    everything: bool = False,
    private: bool = False,
    force: bool = False,
) -> Edit:
    """Return `old` without what `patterns` name, without what is private, or without all.

    What loaders need stays, unless it is named in full and `force` is used. What is ModelSpec's
    counts as public.

    Raises:
        UsageError: no field has such a name, or a loader needs it.
    """
    notes: list[Note] = []
    named = _named(path, old, patterns, force=force)
    reasons = {k: w for k, w in leaks(old).items() if not is_public(k)} if private else {}
    going = {*named, *reasons, *(old if everything else ())}
    spared = [key for key in old if key in going and is_needed(key) and key not in named]
    if spared:
        notes.append(Note("meta.spared", {"keys": ", ".join(spared)}, warning=False))
    told = [k for k in old if private and is_public(k) and k not in going and holds_path(old[k])]
    notes.extend(Note("meta.public_path", {"key": key}) for key in told)
    new = {key: value for key, value in old.items() if key not in going or key in spared}
    edit = _consistent(old, new, notes)
    return Edit(fields=edit.fields, notes=edit.notes, reasons=reasons)


def _named(path: Path, old: Mapping[str, str], patterns: Iterable[str], *, force: bool) -> set[str]:
    """Return the keys that `patterns` name; only a full name reaches what loaders need."""
    named: set[str] = set()
    for pattern in patterns:
        full = pattern if pattern in old else key_of(pattern) or pattern
        if full in old:
            if is_needed(full) and not force:
                raise UsageError("meta.needed", path=path, key=full)
            named.add(full)
            continue
        found = {key for key in old if fnmatchcase(key, pattern) and not is_needed(key)}
        if not found and not re.search(r"[*?[]", pattern):
            raise UsageError("meta.no_such_field", path=path, key=pattern)
        named |= found
    return named


def _consistent(old: Mapping[str, str], new: dict[str, str], notes: list[Note]) -> Edit:
    """Drop what an edit made false: a digest that was taken over kohya's own fields."""
    trained = any(c.key.startswith(_TRAINED) for c in changes(old, new))
    if trained and old.get(_LEGACY_HASH) is not None and new.get(_LEGACY_HASH) == old[_LEGACY_HASH]:
        del new[_LEGACY_HASH]
        notes.append(Note("meta.legacy_dropped", {"key": _LEGACY_HASH}, warning=False))
    return Edit(fields=new, notes=tuple(notes))


def _key(path: Path, word: str, old: Mapping[str, str]) -> str:
    key = word if word in old else key_of(word)
    if key is not None:
        return key
    if not word or len(word) > _LONGEST_KEY or not word.isprintable() or word != word.strip():
        raise UsageError("meta.bad_key", path=path, key=word)
    if re.search(r"[._]", word):
        return word
    near = get_close_matches(word.lower(), words(), n=1)
    raise UsageError("meta.unknown_word", path=path, key=word,
                     near=", ".join(near or ("title", "author", "license", "tags")))  # fmt: skip


def _as_text(path: Path, key: str, value: object) -> str:
    """Return a value of a TOML or JSON file as the text that metadata holds."""
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        value = ", ".join(value)
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise UsageError("meta.no_text", path=path, key=key)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError("meta.no_text", path=path, key=key) from error
    if "\0" in value:
        raise UsageError("meta.no_text", path=path, key=key)
    return value
