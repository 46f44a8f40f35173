"""How a header tells the variants of a family apart, or that it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kanna.families import Choice, family, tables
from kanna.families.architectures import architectures_of
from kanna.families.keys import count_names, expand
from kanna.families.rows import make_choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One answer that a header can give; several `words` are those that it cannot tell apart.

    Of each row of names in `all`, `any` and `none` the first stands for all: ``name [shape]``.
    `layout` is asked of the whole file. `metadata` are fields and what they contain, which settle
    it too. `other_header` says that only metadata tells: the header is another variant's.
    `tensors` is how many a diffusion model has that is recognised by its whole list of them.
    """

    words: tuple[str, ...]
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    layout: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    other_header: bool = False
    tensors: int | None = None
    shared_with: str | None = None
    needs: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    prediction: str | None = None


@cache
def traits(name: str) -> tuple[Trait, ...]:
    """Return the variants of the family called `name`, in the order in which they are asked."""
    found: dict[tuple[str, ...], Trait] = {}
    for choice, tensors in _choices(name):
        known = {word for words in found for word in words}
        if choice.names and not (len(choice.names) > 1 and known.issuperset(choice.names)):
            found.setdefault(choice.names, _trait(choice, tensors))
    told = _told_by_metadata(name)
    known = {word for words in found for word in words}
    for word in told:
        if word not in known:
            found[word,] = Trait(words=(word,), other_header=True)
    return tuple(_with_metadata(trait, told) for trait in found.values())


def _choices(name: str) -> Iterator[tuple[Choice, int | None]]:
    """Yield all variants of a family, those of a component with how many tensors it has."""
    own = family(name)
    for choice in own.variants if own else ():
        yield choice, None
    for raw in tables()["components"]:
        if raw["role"] == "diffusion_model" and name in architectures_of(raw):
            count = _count(raw) if "variant" not in raw else None
            for choice in _choices_of(raw):
                yield choice, count


def _count(raw: Mapping[str, Any]) -> int | None:
    """Return how many names the key lists of a component stand for, without expanding them."""
    own = tables()["families"][raw["family"]].get("keys", {})
    lines = [line for name in raw.get("keys", ()) for line in own[name].split("\n") if line]
    return sum(map(count_names, lines)) or None


def _choices_of(raw: Mapping[str, Any]) -> Iterator[Choice]:
    """Yield the variants of a component; one without signs of its own has the component's."""
    slots = {slot: raw[slot] for slot in ("all", "any", "none", "needs") if slot in raw}
    shared = {"prediction": raw.get("prediction"), **slots}
    for own in raw.get("variant", ()) or ({"candidates": raw.get("variants", ())},):
        signed = own.keys() & {"all", "any", "none"}
        under = {"needs": raw.get("needs", ())} if signed else shared
        yield from make_choices([{**under, **own}])


def _trait(choice: Choice, tensors: int | None) -> Trait:
    return Trait(
        words=choice.names,
        all=tuple(map(_first, choice.all)),
        any=tuple(map(_first, choice.any)),
        none=tuple(map(_first, choice.none)),
        layout=choice.layout,
        tensors=tensors,
        shared_with=choice.shared_with,
        needs=choice.needs,
        tasks=choice.tasks,
        prediction=choice.prediction,
    )


def _first(line: str) -> str:
    """Return the first name that a line of a table stands for, with the shape as written."""
    pattern, space, shape = line.lstrip(":*").partition(" ")
    return expand(pattern)[0] + space + shape


def _told_by_metadata(name: str) -> dict[str, tuple[tuple[str, str], ...]]:
    rows = tables()["families"].get(name, {}).get("metadata", ())
    told: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in rows:
        for word in row.get("variants", ()):
            told[word] = (*told.get(word, ()), (row["key"], row["contains"]))
    return told


def _with_metadata(trait: Trait, told: Mapping[str, tuple[tuple[str, str], ...]]) -> Trait:
    fields = dict.fromkeys(pair for word in trait.words for pair in told.get(word, ()))
    return replace(trait, metadata=tuple(fields))
