"""What of a picture names the same model: programs say it in several places, in several ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from kanna.catalog.matching_names import name_of, spelling
from kanna.infotext.info import ModelReference, Role


def names_something(reference: ModelReference) -> bool:
    """Whether it has a name, and one that is a model's."""
    return bool(reference.name) and name_of(reference.name or "") is not None


def grouped(references: Iterable[ModelReference]) -> list[list[ModelReference]]:
    """Put together what says the same model: by its name, or by digests that agree."""
    named: dict[tuple[str, str], list[ModelReference]] = {}
    nameless: list[ModelReference] = []
    for one in references:
        if key := _key(one.name):
            named.setdefault((one.role, key), []).append(one)
        else:
            nameless.append(one)
    groups = list(named.values())
    for one in nameless[:_MOST]:
        group = next((group for group in groups if _same(group, one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _same(group: Sequence[ModelReference], one: ModelReference) -> bool:
    """Whether a reference without a name can be to the same model."""
    if (group[0].role, group[0].stage) != (one.role, one.stage):
        return False
    digests = [other.digest for other in group if other.digest]
    if one.digest and digests:
        return any(_agree(one.digest, digest) for digest in digests)
    return one.role in _SINGLE


_MOST: Final = 1000  # digests without names in one picture
# Of these a picture has one at a time, so that a digest without a name is that of the named one.
_SINGLE: Final[frozenset[Role]] = frozenset({"checkpoint", "vae", "hypernetwork"})


def _key(text: str | None) -> str:
    name = name_of(text) if text else None
    return spelling("/".join([*name.folders, name.stem])) if name else ""


def _agree(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)


def distinct(group: Sequence[ModelReference]) -> Iterable[ModelReference]:
    """Yield what is to be looked up: the name with each digest that is not part of a longer one."""
    name = next((one.name for one in group if one.name and names_something(one)), None)
    longest: list[ModelReference] = []
    for one in sorted(group, key=lambda one: -len(one.digest or "")):
        if one.digest and not any(_agree(one.digest, other.digest or "") for other in longest):
            longest.append(one)
    yield from (replace(one, name=name) for one in longest or group[:1])
