"""The parts that families need, and who shares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

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
            needs = word in _needs().get(name, ())
        if needs:
            yield name


@cache
def _needs() -> Mapping[str, set[str]]:
    """Return the words of the parts that each family and its variants need."""
    found: dict[str, set[str]] = {}
    for name, raw in tables()["families"].items():
        rows = (raw, *raw.get("variant", ()))
        found[name] = {word for row in rows for word in row.get("needs", ())}
    for raw in tables()["components"]:
        rows = (raw, *raw.get("variant", ()))
        words = {word for row in rows for word in row.get("needs", ())}
        for name in architectures_of(raw) if words else ():
            found.setdefault(name, set()).update(words)
    return found
