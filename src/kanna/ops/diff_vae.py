"""Which VAE is in each file, where they differ: by the digest of its numbers, or its number."""

from __future__ import annotations

from dataclasses import replace

from kanna.findings.vae_number import has_number, name_of, number_of
from kanna.hashing.cache import HashCache
from kanna.hashing.components import part_digests
from kanna.hashing.place import existing_cache
from kanna.hashing.resolving import same_part
from kanna.model import Note
from kanna.ops.diff_compared import Compared
from kanna.ops.diff_sides import Side
from kanna.ops.diff_verdict import Verdict, percent, verdict


def other_vae(found: Compared) -> Verdict:
    """Return the verdict that B has another VAE, with what is known of both.

    Raises:
        FormatError: a file does not hold what its header says.
    """
    names = [name for part, of in found.models.items() if part[0] == "vae" for name in of]
    row = found.row("", names)
    digests = [_digest(side) for side in (found.first, found.second)]
    known = [_name(side, digest) for side, digest in
             zip((found.first, found.second), digests, strict=True)]  # fmt: skip
    evidence = [Note("diff.vae_rms", {"rms": percent(row.relative_rms or 0)})]
    evidence += [
        Note("diff.vae_known", {"letter": letter, "name": name})
        for letter, name in zip("AB", known, strict=True) if name
    ]  # fmt: skip
    return verdict(
        "other_vae", evidence=tuple(evidence),
        values={"a": known[0], "b": known[1], "a_digest": digests[0], "b_digest": digests[1],
                "relative_rms": row.relative_rms},
    )  # fmt: skip


def _digest(side: Side) -> str | None:
    vae = side.identity.part("vae")
    if vae is None:
        return None
    digests = part_digests(side.model, replace(side.identity, parts=(vae,)))
    return digests[0].digest if digests else None


def _name(side: Side, digest: str | None) -> str | None:
    """Return what a VAE is called: for certain where a hashed file has it, else by its number."""
    if side.identity.vae_identity:
        return side.identity.vae_identity
    place, vae = existing_cache(), side.identity.part("vae")
    if place is not None and digest is not None:
        with HashCache(place) as cache:
            hits = [hit.known for hit in same_part(digest, cache) if hit.known is not None]
        if hits:
            return hits[0].short_name
    if vae is None or not has_number(vae):
        return None
    number = number_of(side.model, vae)
    return None if number is None else name_of(number)
