"""What others know of a file: whether it is safe, whose VAE is inside, what its numbers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kanna.model import Note

VaeState = Literal["good", "averaged", "fp16-fix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What `kanna scan` says: ``clean``, ``suspicious`` or ``dangerous``, and why."""

    verdict: str
    reasons: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVae:
    """The VAE inside, recognised by its digest: its name, whose it is, and what is known of it."""

    name: str
    architecture: str | None = None
    state: VaeState = "good"


@dataclass(frozen=True, slots=True)
class Measure:
    """The numbers of one tensor, counted: NaN, Inf, finite ones beyond fp16.

    `alike` says that all elements have the same bits, `zero` that all of these are 0; `checksum` is
    the CRC-32 of the bytes.
    """

    nan: int = 0
    inf: int = 0
    beyond: int = 0
    alike: bool = False
    zero: bool = False
    checksum: int = 0
