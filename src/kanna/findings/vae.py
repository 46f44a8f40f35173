"""Chapter 6: the VAE inside: broken, averaged of two, or made for other latents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from kanna.families import family, title
from kanna.findings.facts import VaeState
from kanna.findings.subject import Subject, bake, found
from kanna.findings.vae_number import has_number, middle_of, name_of, number_of, published_for
from kanna.findings.values import Finding


def known(subject: Subject) -> Iterator[Finding]:
    """Judge a VAE that was recognised by its digest."""
    vae = subject.vae
    if vae is None:
        return
    if vae.state == "averaged":
        yield found("KN602", "known", name=vae.name, command=bake(subject))
    wanted = _wanted(subject)
    if vae.architecture and wanted and vae.architecture != wanted:
        yield found("KN603", "known", name=vae.name, theirs=title(vae.architecture),
                    ours=title(wanted), command=bake(subject))  # fmt: skip


def numbers(subject: Subject) -> Iterator[Finding]:
    """Find a VAE that holds NaN or Inf: unlike other parts, it can be replaced."""
    part, measures = subject.identity.part("vae"), subject.measures or {}
    names = part.names if part is not None else ()
    hit = tuple(n for n in names if n in measures and (measures[n].nan or measures[n].inf))
    if hit:
        yield found("KN601", names=hit, count=len(hit), name=hit[0], command=bake(subject))


def by_number(subject: Subject) -> Iterator[Finding]:
    """Judge an unknown VAE by its number, where it is one of SD 1's shapes; never certain."""
    part, wanted = subject.identity.part("vae"), _wanted(subject)
    if part is None or subject.vae is not None or not has_number(part):
        return
    number = number_of(subject.model, part)
    if number is None:
        return
    name, middle = name_of(number), middle_of(number)
    if name and wanted and not published_for(wanted):
        yield found("KN603", "number", number=f"{number:04}", name=name, ours=title(wanted),
                    command=bake(subject))  # fmt: skip
    elif middle and not name:
        yield found("KN602", "number", number=f"{number:04}", one=middle[0], other=middle[1],
                    command=bake(subject))  # fmt: skip


def _wanted(subject: Subject) -> str | None:
    """Return the architecture whose VAE the diffusion model takes."""
    if subject.identity.part("diffusion_model") is None:
        return None
    home = family(subject.identity.architecture or "")
    return home.vae if home else None


# VAEs that are known by name; an average is no VAE to hand on.
# Sources: the names under which they are published; madebyollin/sdxl-vae-fp16-fix.
_STATES: Final[Mapping[str, VaeState]] = {
    "mse840000_klf8anime": "averaged",
    "mse840000_klf8anime_klf8anime2": "averaged",
}
_FIXED: Final = re.compile(r"fp16[-_]fix")


def state_of(name: str) -> VaeState:
    """Return what is known of the published VAE called `name`."""
    return "fp16-fix" if _FIXED.search(name) else _STATES.get(name, "good")
