"""What is judged: an open file, what it is, and what others know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from kanna.findings.rules import RULES
from kanna.findings.values import Finding, Purpose, Repair
from kanna.identity import Identity
from kanna.model import ModelFile, Note

VaeState = Literal["good", "averaged", "fp16-fix"]
CHECKPOINTS: Final = ("ckpt-zip", "ckpt-legacy", "ckpt-tar")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known from digests: the VAE inside, and the SHA-256 of all tensor data."""

    vae: KnownVae | None = None
    data_sha256: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file before its judges.

    `config` is the parsed config beside it, None where there is none or where `config_trouble` says
    why it cannot be read. `siblings` are names of files beside it. `measures` are the numbers of
    every tensor of floats, None where nobody asked for them.
    """

    path: Path
    model: ModelFile
    identity: Identity
    purpose: Purpose | None = None
    safety: Safety | None = None
    known: Known = field(default_factory=Known)
    config: Mapping[str, object] | None = None
    config_trouble: Note | None = None
    siblings: frozenset[str] = frozenset()
    measures: Mapping[str, Measure] | None = None

    @property
    def pickled(self) -> bool:
        """Whether the container is a pickle."""
        return self.model.container in CHECKPOINTS

    def serves(self, *purposes: Purpose) -> bool:
        """Whether the file is to serve one of `purposes`, as far as anybody said so."""
        return self.purpose is None or self.purpose in purposes


def found(
    code: str,
    what: str = "found",
    /,
    *,
    names: tuple[str, ...] = (),
    size: int = 0,
    repair: Repair | None = None,
    command: tuple[str, ...] = (),
    **values: object,
) -> Finding:
    """Return a finding whose sentence is the message ``findings.CODE_WHAT``."""
    note = Note(f"findings.{code.lower()}_{what}", values)
    return Finding(
        rule=RULES[code], note=note, names=names, bytes=size, repair=repair, command=command
    )


def mend(**options: object) -> Repair:
    """Return the repair that converts with `options`."""
    return Repair(options=MappingProxyType(options))
