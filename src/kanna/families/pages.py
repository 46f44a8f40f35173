"""What people look up about a family: numbers, licence, variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kanna.families import tables
from kanna.families.loading import load_pages
from kanna.families.rows import Spoken, tuples
from kanna.messages import language

# What a model was distilled of: its guidance scale, its many steps, or layers of a larger model.
DISTILLED: Final = ("no", "guidance", "steps", "size")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """Facts of a family, or of one variant where it differs.

    `parameters` counts the diffusion model's, in billions. `licence_read` says that the licence was
    read where the model is published, not taken from general knowledge. `distilled` is a word of
    `DISTILLED`; `steps` and `guidance` are the usual range, from lowest to highest. `resolution` is
    in pixels. `note` is text by language.
    """

    name: str = ""
    parameters: float | None = None
    released: str | None = None
    repository: str | None = None
    licence: str | None = None
    licence_read: bool = False
    distilled: str | None = None
    steps: tuple[float, float] | None = None
    guidance: tuple[float, float] | None = None
    flow_shift: float | None = None
    resolution: int | None = None
    note: Spoken | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class About:
    """The page of a family.

    `summary` is text by language. `aliases` are other words that people type for the family.
    A latent is ``(x - vae_shift) * vae_scale``, one in `spatial_factor` pixels each way.
    """

    summary: Spoken
    maker: str
    facts: Facts
    variants: tuple[Facts, ...] = ()
    aliases: tuple[str, ...] = ()
    latent_channels: int | None = None
    vae_scale: float | None = None
    vae_shift: float | None = None
    spatial_factor: int | None = None


@cache
def page_tables() -> dict[str, Any]:
    """Return all that the tables hold for people, as one raw document.

    Raises:
        FormatError: a user's table cannot be read, or something in it is wrong.
    """
    return load_pages(tables()["stamp"])


@cache
def about(name: str) -> About | None:
    """Return the page of the family called `name`, or None where there is none."""
    raw = page_tables()["about"].get(name)
    if raw is None:
        return None
    own = {field: value for field, value in raw.items() if field in Facts.__slots__}
    rest = {field: value for field, value in raw.items() if field not in own}
    rest["variants"] = tuple(map(_facts, rest.pop("variant", ())))
    return About(facts=_facts(own), **{**rest, "aliases": tuple(rest.get("aliases", ()))})


def pages() -> tuple[str, ...]:
    """Return the names of all families that have a page."""
    return tuple(page_tables()["about"])


def spoken(text: Spoken | None) -> str:
    """Return `text` in the language in force, or nothing."""
    return text[language()] if text else ""


def _facts(raw: Mapping[str, Any]) -> Facts:
    return Facts(**tuples(raw))
