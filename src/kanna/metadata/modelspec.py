"""ModelSpec 1.0.1: its fields, what is wrong with those of a file, and which are missing.

Sources: `modelspec.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from kanna.metadata.forms import FORMS, Malformed, digest
from kanna.metadata.tables import table
from kanna.model import Note

PREFIX: Final = "modelspec."
_HASH: Final = "hash_"
VERSION: Final = "1.0.1"
Duty = Literal["must", "should", "can"]

# Kinds that are put on a model; what is the model's they may leave out.
_PIECES: Final = frozenset({
    "lora", "embedding", "hypernetwork", "controlnet", "t2i_adapter", "ip_adapter", "vae",
    "text_encoder", "motion_module", "clip_vision", "style_model", "gligen",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of ModelSpec: its name without prefix, its duty, which files it is about."""

    name: str
    duty: Duty
    form: str
    part: str = "all"
    words: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name under which it stands in a file."""
        return PREFIX + self.name

    def written(self, value: str) -> str:
        """Return `value` as it is written best.

        Raises:
            Malformed: it does not have the field's form.
        """
        return FORMS[self.form](value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a file says in ModelSpec's words.

    `version` is the one that it names, None where it has no such field. `problems` are by key;
    `missing` are names of fields by duty, without those that such a file may leave out.
    """

    version: str | None
    fields: Mapping[str, str]
    problems: Mapping[str, Note]
    missing: Mapping[Duty, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether everything that must be there is there, and has its form."""
        return self.version is not None and not self.missing["must"] and not self.problems


@cache
def fields() -> Mapping[str, Field]:
    """Return every field by its name, in the order in which they are shown."""
    rows = table("modelspec")["field"]
    return {row["name"]: Field(**{**row, "words": tuple(row.get("words", ()))}) for row in rows}


@cache
def _words() -> Mapping[str, str]:
    return {word: field.key for field in fields().values() for word in (field.name, *field.words)}


def key_of(word: str) -> str | None:
    """Return the key that a short word such as ``title`` or ``trigger`` stands for, or None."""
    return _words().get(word.lower())


def words() -> tuple[str, ...]:
    """Return every short word."""
    return tuple(_words())


def written(key: str, value: str) -> str:
    """Return the value of any key as it is written best; what ModelSpec does not know stays.

    Raises:
        Malformed: it is a key of ModelSpec, and the value does not have its form.
    """
    name = key.removeprefix(PREFIX)
    if name == key:
        return value
    if name in fields():
        return fields()[name].written(value)
    return digest(value, name.removeprefix(_HASH)) if name.startswith(_HASH) else value


def read_spec(metadata: Mapping[str, str], kind: str | None = None) -> Spec:
    """Return what `metadata` says in ModelSpec's words, of a file of this `kind`."""
    own = {key: value for key, value in metadata.items() if key.startswith(PREFIX)}
    return Spec(
        version=own.get(f"{PREFIX}sai_model_spec"),
        fields=own,
        problems=dict(_problems(own)),
        missing={
            "must": _missing(own, "must", kind),
            "should": _missing(own, "should", kind),
            "can": _missing(own, "can", kind),
        },
    )


def _problems(own: Mapping[str, str]) -> Iterator[tuple[str, Note]]:
    foreign = {row["name"]: row for row in table("modelspec")["foreign"]}
    for key, value in own.items():
        name = key.removeprefix(PREFIX)
        row = foreign.get(name)
        try:
            best = written(key, value)
        except Malformed as error:
            yield key, Note(error.key, {"value": value[:60]})
            continue
        if row is not None and "instead" in row:
            yield key, Note("meta.spec_instead", {"whose": row["whose"], "instead": row["instead"]})
        elif row is None and name not in fields() and not name.startswith(_HASH):
            yield key, Note("meta.spec_unknown", {"version": VERSION}, warning=False)
        elif best != value and fields().get(name, _ANY).form in _STRICT:
            yield key, Note("meta.spec_spelling", {"best": best}, warning=False)


# Forms that programs read letter by letter.
_STRICT: Final = frozenset({"resolution", "sha256", "range", "count", "truth"})
_ANY: Final = Field(name="", duty="can", form="text")


def _missing(own: Mapping[str, str], duty: Duty, kind: str | None) -> tuple[str, ...]:
    about = {"all"} if kind in _PIECES else {"all", "image"}
    return tuple(
        field.name for field in fields().values()
        if field.duty == duty and field.part in about and not own.get(field.key, "").strip()
    )  # fmt: skip
