"""The parts that families need, and who shares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kanna.families import family, tables
from kanna.families.architectures import architectures_of, by_age, kinds
from kanna.families.places import Place, places


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A part that a family needs: what it is, where it is found, which families share it."""

    word: str
    role: str
    places: tuple[Place, ...]
    shared_with: tuple[str, ...]


def needed_by(place: Place) -> tuple[str, ...]:
    """Return the families that need the part at `place`, or have a variant that does."""
    return tuple(_needing(place.word, place.architecture))


def need(word: str, name: str, vae: str | None) -> Need:
    """Return what the family `name`, whose VAE is that of `vae`, needs as the part `word`."""
    found = places(word, vae)
    others = tuple(other for other in _needing(word, vae) if other != name)
    role = found[0].role if found else word
    return Need(word=word, role=role, places=found, shared_with=others)


def _needing(word: str, vae: str | None) -> Iterator[str]:
    """Yield the families that need the part `word`; the VAE only where it is the same."""
    for name in by_age(kinds()):
        if word == "vae":
            own = family(name)
            needs = own is not None and own.vae == vae is not None and word in own.needs
        else:
            needs = any(word in words for words in _needs().get(name, ()))
        if needs:
            yield name


def may_need(name: str, words: Sequence[str]) -> bool:
    """Whether `words` are just the parts that the family `name`, or a variant of it, needs."""
    return tuple(words) in _needs().get(name, ())


@cache
def _needs() -> Mapping[str, set[tuple[str, ...]]]:
    """Return the words of the parts that each family needs, and those of every variant."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for name, raw in tables()["families"].items():
        found[name] = _lists(raw)
    for raw in tables()["components"]:
        words = _lists(raw)
        for name in architectures_of(raw) if words else ():
            found.setdefault(name, set()).update(words)
    return found


def _lists(raw: Mapping[str, Any]) -> set[tuple[str, ...]]:
    rows = (raw, *raw.get("variant", ()))
    return {tuple(row["needs"]) for row in rows if row.get("needs")}
