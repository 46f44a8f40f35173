"""What the cache knows of a file already, so that `inspect` can say it without reading weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kanna.hashing.cache import HashCache
from kanna.identity import Published

if TYPE_CHECKING:
    from pathlib import Path

    from kanna.disk import Fingerprint
    from kanna.hashing.digests import Digests
    from kanna.model import ModelFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What was computed before: the digests, what they prove, and whose VAE is inside."""

    digests: Digests
    published: Published | None
    vae: str | None


def recall(model: ModelFile, place: Path) -> Recollection | None:
    """Return what the cache at `place` knows of a model, or None where it was never hashed.

    Only what kanna computed itself counts: what another program kept proves nothing.
    """
    if len(model.files) != 1:
        return None
    file = model.files[0].fingerprint
    with HashCache(place) as cache:
        found = cache.find(file)
        if found is None or found.origin != "kanna":
            return None
        from kanna.hashing.resolving import published  # most files were never hashed

        known = published(found)
        proved = None
        if known is not None:
            proved = Published(
                name=known.name,
                architecture=known.architecture or None,
                variant=known.variant or None,
            )
        vae = known.short_name if known and known.kind == "vae" else _vae_inside(cache, file)
        return Recollection(digests=found.digests, published=proved, vae=vae)


def _vae_inside(cache: HashCache, file: Fingerprint) -> str | None:
    """Return the name of the published VAE that the file's own VAE has all numbers of."""
    from kanna.hashing.resolving import same_part

    for part in cache.parts(file):
        hits = same_part(part.digest, cache) if part.role == "vae" else []
        for hit in hits:
            if hit.known is not None and hit.known.kind == "vae":
                return hit.known.short_name
    return None
