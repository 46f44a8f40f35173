"""Chapter 6: the VAE inside: broken, averaged of two, or made for other latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.families import family, title
from kanna.findings.subject import Subject, found
from kanna.findings.vae_number import ARCHITECTURES, ROWS, middle_of, name_of, number_of
from kanna.findings.values import Finding

_OF_STATE: Final = {"broken": "KN601", "averaged": "KN602"}


def known(subject: Subject) -> Iterator[Finding]:
    """Judge a VAE that was recognised by its digest."""
    vae = subject.known.vae
    if vae is None:
        return
    if vae.state in _OF_STATE:
        yield found(_OF_STATE[vae.state], "known", name=vae.name, command=_bake(subject))
    wanted = _wanted(subject)
    if vae.architecture and wanted and vae.architecture != wanted:
        yield found("KN603", "known", name=vae.name, theirs=title(vae.architecture),
                    ours=title(wanted), command=_bake(subject))  # fmt: skip


def by_number(subject: Subject) -> Iterator[Finding]:
    """Judge an unknown VAE by its number, where it is one of SD 1's shapes; never certain."""
    part, wanted = subject.identity.part("vae"), _wanted(subject)
    if part is None or subject.known.vae is not None or part.component not in ROWS:
        return
    number = number_of(subject.model, part)
    if number is None:
        return
    name, middle = name_of(number), middle_of(number)
    if name and wanted and wanted not in ARCHITECTURES:
        yield found("KN603", "number", number=f"{number:04}", name=name, ours=title(wanted),
                    command=_bake(subject))  # fmt: skip
    elif middle and not name:
        yield found("KN602", "number", number=f"{number:04}", one=middle[0], other=middle[1],
                    command=_bake(subject))  # fmt: skip


def _wanted(subject: Subject) -> str | None:
    """Return the architecture whose VAE the diffusion model takes."""
    if subject.identity.part("diffusion_model") is None:
        return None
    home = family(subject.identity.architecture or "")
    return home.vae if home else None


def _bake(subject: Subject) -> tuple[str, ...]:
    if subject.identity.kind != "checkpoint":
        return ()
    return ("kanna", "convert", str(subject.path), "--vae", "VAE.safetensors")
