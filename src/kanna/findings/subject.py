"""What is judged: an open file, what it is, and what others know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kanna.findings.rules import RULES
from kanna.findings.values import Finding, Purpose, Repair
from kanna.identity import Identity, Part
from kanna.model import ModelFile, Note

if TYPE_CHECKING:
    from kanna.findings.facts import KnownVae, Measure, Safety

CHECKPOINTS: Final = ("ckpt-zip", "ckpt-legacy", "ckpt-tar")
# Kinds whose pickles hold, beside the weights, what programs ask for and no other container keeps:
# settings of a hypernetwork. Source: AUTOMATIC1111 modules/hypernetworks/hypernetwork.py.
PICKLES: Final = frozenset({"hypernetwork"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A file before its judges.

    `safety` is what a scan says, `vae` the VAE inside where it is known by its digest,
    `data_sha256` the digest of all tensor data where somebody has computed it. `config` is the
    parsed config beside the file, None where there is none or where `config_trouble` says why it
    cannot be read. `siblings` are names of files beside it. `measures` are the numbers of every
    tensor of floats, None where nobody asked for them.
    """

    path: Path
    model: ModelFile
    identity: Identity
    purpose: Purpose | None = None
    safety: Safety | None = None
    vae: KnownVae | None = None
    data_sha256: str | None = None
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


def called(part: Part) -> Note:
    """Return what people call a part: of several text encoders, which one."""
    role = Note(f"inspect.part_{part.role}")
    if part.role != "text_encoder" or part.variant is None:
        return role
    return Note("identity.called", {"name": part.variant, "role": role})


def bake(subject: Subject) -> tuple[str, ...]:
    """Return the command that puts another VAE into a checkpoint; no other file takes one."""
    if subject.identity.kind != "checkpoint":
        return ()
    return ("kanna", "convert", str(subject.path), "--vae", "VAE.safetensors")


def mend(**options: object) -> Repair:
    """Return the repair that converts with `options`."""
    return Repair(options=MappingProxyType(options))
