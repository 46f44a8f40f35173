"""Gathers what a text says of models, here and there, to one reference for each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from kanna.hashing.resolving import bare_digits, parted
from kanna.infotext.a1111_lists import name_in_list
from kanna.infotext.a1111_roles import meanings_of
from kanna.infotext.info import ModelReference, Role

_WHOLE: Final = 64
_ENOUGH: Final = 10  # digits that make two beginnings of a SHA-256 the same
# A picture has one of these at each stage: what has no name is about the one that has.
_SINGLE: Final = {"checkpoint", "vae"}


@dataclass(slots=True, kw_only=True)
class _Found:
    role: Role
    stage: str
    where: str
    name: str | None = None
    weight: float | None = None
    digests: list[str] = field(default_factory=list)

    def can_have(self, digest: str | None) -> bool:
        """Whether no other digest of this length is known."""
        return digest in self.digests or all(len(digest or "") != len(d) for d in self.digests)


class References:
    """The models found so far, in their order."""

    def __init__(self) -> None:
        self._found: list[_Found] = []
        self._by_name: dict[tuple[Role, str, str], _Found] = {}
        self._by_digest: dict[str, _Found] = {}
        self._single: dict[tuple[Role, str], _Found] = {}

    def add(
        self, role: Role, name: str | None, digest: str | None, *, weight: object = None,
        where: str, stage: str = "",
    ) -> None:  # fmt: skip
        """Add what is said in one place; a digest in brackets behind the name is taken off."""
        called, behind = parted(name or "")
        name, digest = called or None, bare_digits(digest or "") or behind or None
        if not name and not digest:
            return
        one = self._same(role, stage, name, digest)
        if one is None:
            one = _Found(role=role, stage=stage, where=where)
            self._found.append(one)
        one.name = one.name or name
        one.weight = _number(weight) if one.weight is None else one.weight
        if digest and digest not in one.digests:
            one.digests.append(digest)
        self._remember(one)

    def has(self, role: Role) -> bool:
        """Whether a model of this kind is known that made the picture itself."""
        return any(one.role == role and not one.stage for one in self._found)

    def models(self) -> tuple[ModelReference, ...]:
        """Return one reference for each, with the best of its digests."""
        return tuple(map(_reference, self._found))

    def _same(self, role: Role, stage: str, name: str | None, digest: str | None) -> _Found | None:
        """Return what is known of the same model already."""
        one = self._by_digest.get((digest or "")[:_ENOUGH])
        if one and role in {one.role, "unknown"} and any(_agree(digest, d) for d in one.digests):
            return one
        if name is None:
            one = self._single.get((role, stage)) if role in _SINGLE else None
        else:
            one = self._by_name.get((role, stage, _plain(name)))
            one = one or self._single.get((role, stage))
            one = one if one and (one.name is None or _plain(one.name) == _plain(name)) else None
        return one if one and one.can_have(digest) else None

    def _remember(self, one: _Found) -> None:
        if one.name:
            self._by_name.setdefault((one.role, one.stage, _plain(one.name)), one)
        if one.role in _SINGLE:
            self._single.setdefault((one.role, one.stage), one)
        for digest in one.digests:
            self._by_digest.setdefault(digest[:_ENOUGH], one)


def _reference(one: _Found) -> ModelReference:
    digest = _best(one)
    return ModelReference(
        role=one.role,
        name=one.name,
        digest=digest,
        meanings=meanings_of(digest, one.role) if digest else (),
        weight=one.weight,
        where=one.where,
        stage=one.stage,
    )


def _best(one: _Found) -> str | None:
    """Return the longest digest, but of a LoRA's data before that of its file.

    The latter is another one as soon as the metadata are edited.
    """
    short = [digest for digest in one.digests if len(digest) < _WHOLE]
    return max(short if one.role == "lora" and short else one.digests, key=len, default=None)


def _agree(one: str | None, other: str) -> bool:
    """Whether both can begin the same SHA-256; that of 8 digits is another one."""
    shorter, longer = sorted((one or "", other), key=len)
    return len(shorter) >= _ENOUGH and longer.startswith(shorter)


def _plain(name: str) -> str:
    """Return a name as lists of digests have it, whatever its case."""
    return name_in_list(name).casefold()


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if is_number and math.isfinite(value) else None
    except OverflowError:
        return None
