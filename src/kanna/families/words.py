"""What a word that somebody types can mean: a family, a variant, a part, a kind of file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Final, Literal

from kanna.families import tables, title
from kanna.families.architectures import architectures_of, kinds
from kanna.families.pages import about
from kanna.families.places import Place, all_places, kind_words
from kanna.families.traits import traits
from kanna.formats import MODEL_SUFFIXES

Subject = Literal["family", "variant", "part", "kind"]
# Kinds of models, which have variants; all others are made for a model and come in forms.
_MODELS: Final = frozenset({
    "checkpoint", "diffusion_model", "vae", "text_encoder", "clip_vision", "safety_checker",
    "upscaler", "detector", "training_state", "unknown",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One thing that a word can mean.

    `name` is a family's, a part's or a kind's word; `detail` the variant, or the architecture of
    a VAE, or the dialect of a kind.
    """

    subject: Subject
    name: str
    detail: str | None = None


def meanings(text: str) -> tuple[Meaning, ...]:
    """Return all that `text` can mean, the whole before its variants; a file name is one, too."""
    path = PurePosixPath(text)
    stem = path.stem if path.suffix.lower() in MODEL_SUFFIXES else text
    return tuple(_index().get(plain(text)) or _index().get(plain(stem), {}))


def spellings() -> Mapping[str, str]:
    """Return every word that has a meaning: as it is compared, and as people write it."""
    return {key: next(iter(found.values())) for key, found in _index().items()}


def plain(text: str) -> str:
    """Return `text` as words are compared: without case, spaces, dots, dashes."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


@cache
def _index() -> Mapping[str, dict[Meaning, str]]:
    index: dict[str, dict[Meaning, str]] = {}
    for spelling, meaning in (*_families(), *_variants(), *_parts(), *_kinds()):
        index.setdefault(plain(spelling), {}).setdefault(meaning, spelling)
    for spelling, meaning in _others():
        index.setdefault(plain(spelling), {meaning: spelling})
    return index


def _names(name: str) -> tuple[str, ...]:
    """Return what people call a family."""
    page = about(name)
    return (name, title(name), *(page.aliases if page else ()))


def _families() -> Iterator[tuple[str, Meaning]]:
    for name, roles in kinds().items():
        if "diffusion_model" in roles or about(name):
            for spelling in _names(name):
                yield spelling, Meaning(subject="family", name=name)


def _variants() -> Iterator[tuple[str, Meaning]]:
    """Yield variants alone and behind every name of their family: "schnell", "flux1 schnell"."""
    for name in kinds():
        for word in dict.fromkeys(word for trait in traits(name) for word in trait.words):
            meaning = Meaning(subject="variant", name=name, detail=word)
            if plain(word) != plain(name):
                yield word, meaning
                for spelling in _names(name):
                    yield from ((joined, meaning) for joined in _joined(spelling, word))


def _joined(name: str, variant: str) -> Iterator[str]:
    """Yield a name and a variant as one, a number that both have once: "sd3.5" + "3.5-large"."""
    yield f"{name} {variant}"
    first, second = plain(name), plain(variant)
    for size in range(1, min(len(first), len(second)) + 1):
        if first[-size:] == second[:size] and second[:size].isdigit():
            yield first + second[size:]


def _parts() -> Iterator[tuple[str, Meaning]]:
    for place in all_places():
        meaning = Meaning(subject="part", name=place.word, detail=place.architecture)
        words = () if place.word in kind_words() else (place.word,)
        stems = (PurePosixPath(file).stem for file in place.files if "/" not in file)
        for spelling in (*words, place.title, *place.aliases, *stems):
            yield spelling, meaning
    for spelling, place in _encoders():
        yield spelling, Meaning(subject="part", name=place.word)


def _encoders() -> Iterator[tuple[str, Place]]:
    """Yield text encoders by the name of their architecture: "t5" is t5xxl and its kin."""
    for raw in tables()["components"]:
        if raw["role"] == "text_encoder":
            found = [place for place in all_places() if place.word in raw.get("variants", ())]
            for spelling in architectures_of(raw):
                yield from ((spelling, place) for place in found)


def _kinds() -> Iterator[tuple[str, Meaning]]:
    for kind, aliases in kind_words().items():
        for spelling in (kind, *aliases):
            yield spelling, Meaning(subject="kind", name=kind)
        for word in dialects(kind):
            if plain(word) != plain(kind):
                yield word, Meaning(subject="kind", name=kind, detail=word)


def _others() -> Iterator[tuple[str, Meaning]]:
    """Yield what has no page of its own, upscalers say, as files of their kind."""
    for raw in tables()["components"]:
        if raw["role"] in kind_words():
            meaning = Meaning(subject="kind", name=raw["role"])
            rows = (raw, *raw.get("variant", ()))
            variants = (
                word for row in rows for word in (*row.get("variants", ()), row.get("name"))
            )
            for word in (*architectures_of(raw), *variants):
                if word and plain(word):
                    yield word, meaning


def dialects(kind: str) -> tuple[str, ...]:
    """Return the forms that adapters of `kind` come in; none for models, which have variants."""
    found: dict[str, None] = {}
    for raw in tables()["components"]:
        if raw["role"] == kind and kind not in _MODELS:
            for row in (raw, *raw.get("variant", ())):
                words = row.get("variants") or row.get("candidates") or (row.get("name"),)
                found.update(dict.fromkeys(word for word in words if word))
    return tuple(found)
