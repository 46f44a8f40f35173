"""All-in-one files: where each part stands in one, and what parts are called as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kanna.families.places import place_tables

# Programs that parts are made for; `bare` leaves every name as it is, without its prefix.
BARE: Final = "bare"
_ENCODER: Final = "text_encoder"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seat:
    """The place of one part in an all-in-one file.

    `word` is that of a family's needs: a role, or a kind of text encoder. `layouts` are those that
    the file may have the part in; a part in any other is turned into the first. Empty, they are
    all the same.
    """

    word: str
    prefix: str
    layouts: tuple[str, ...] = ()
    tokenizer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrangement:
    """How the all-in-one files of some architectures are made up.

    `programs` read such files. `seats` are in the order in which the parts stand in a file;
    `encoders` is the prefix of text encoders that have no seat of their own, with ``{name}`` for
    what `names` or the table call them, and `tokenizer` that of a tokenizer that comes with one.
    `diffusion_file` is what the diffusion model is called as a file.
    """

    architectures: tuple[str, ...]
    programs: tuple[str, ...]
    seats: tuple[Seat, ...]
    diffusion_file: str
    encoders: str | None
    tokenizer: str
    names: Mapping[str, str]

    def seat(self, word: str, role: str) -> Seat | None:
        """Return the place of the part `word`, or None where such files have none for it."""
        for seat in self.seats:
            if seat.word == word:
                return seat
        if role != _ENCODER or self.encoders is None or word not in _tables()["encoders"]:
            return None
        name = self.names.get(word) or _tables()["encoders"][word]
        tokenizer = self.tokenizer.format(name=name)
        prefix = self.encoders.format(name=name)
        return Seat(word=word, prefix=prefix, layouts=("hf",), tokenizer=tokenizer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """How a program reads parts as files of their own.

    `layouts` are those that it knows, by role; where a role has none, it knows those of an
    all-in-one file. The roles in `inside` keep the prefix that they have in a checkpoint.
    """

    layouts: Mapping[str, tuple[str, ...]]
    inside: tuple[str, ...] = ()


@cache
def arrangement(architecture: str | None) -> Arrangement | None:
    """Return how all-in-one files of `architecture` are made up, where there are any."""
    for row in _tables().get("arrangement", ()):
        if architecture in row["architectures"]:
            return Arrangement(
                architectures=tuple(row["architectures"]),
                programs=tuple(row["programs"]),
                seats=tuple(_seat(seat) for seat in row["seat"]),
                diffusion_file=row.get("diffusion_file", "diffusion_model"),
                encoders=row.get("encoders"),
                tokenizer=row.get("tokenizer", row.get("encoders", "").partition("{")[0]),
                names=row.get("names", {}),
            )
    return None


def program(word: str) -> Program:
    """Return how the program `word` reads parts; ``bare`` is the one that takes them all."""
    row = _tables()["program"].get(word, {})
    layouts = {role: tuple(words) for role, words in row.get("layouts", {}).items()}
    return Program(layouts=layouts, inside=tuple(row.get("inside", ())))


def program_words() -> tuple[str, ...]:
    """Return the programs that parts can be made for."""
    return tuple(_tables()["program"])


def top_markers() -> frozenset[str]:
    """Return the markers that have no prefix wherever the diffusion model stands."""
    return frozenset(_tables().get("markers", ()))


def vae_fits(theirs: str, ours: str) -> bool:
    """Whether the VAE made for the architecture `theirs` has the latents of that for `ours`."""
    groups = _tables().get("same_vae", ())
    return theirs == ours or any(theirs in group and ours in group for group in groups)


def file_word(word: str, role: str, architecture: str | None) -> str:
    """Return what the part `word` is called in the name of a file: ``unet``, ``clip_l``, ``vae``.

    A part that nothing is known of is called by its role.
    """
    known = arrangement(architecture)
    if role == "diffusion_model" and known is not None:
        return known.diffusion_file
    names = {**_tables()["encoders"], **_tables()["files"]}
    return str(names.get(word) or names.get(role) or role)


def _seat(row: Mapping[str, Any]) -> Seat:
    return Seat(word=row["word"], prefix=row["prefix"], layouts=tuple(row.get("layouts", ())))


def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = place_tables()["joined"]
    return tables
