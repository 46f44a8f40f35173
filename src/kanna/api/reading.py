"""What a file is: `inspect`, and the header and identity that the other verbs start from."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kanna.formats import open_model
from kanna.hashing.place import existing_cache
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import ModelFile

if TYPE_CHECKING:
    from kanna.hashing.recall import Recollection
    from kanna.identify.layouts import Layouts

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect` found: the identity, and the header of the file, which is closed by then."""

    identity: Identity
    model: ModelFile


def inspect(
    path: StrPath, *, compare_ema: bool = False, layouts: Layouts | None = None
) -> Inspection:
    """Say what a model file is, from its header.

    At most 4 KiB of named small tensors are read, and a noise schedule where the file has one,
    unless `compare_ema` asks to compare the EMA with the model, which reads both. `layouts`
    remembers files of the same names and shapes, for who looks at many.

    Raises:
        FormatError: the file is broken.
        UnsafeFile: the file pretends to be of a safe format.
        Incomplete: there is no such file, or a shard is missing.
    """
    from kanna.api.subjects import codes

    with layouts.open_model(path) if layouts else open_model(path) as model:
        identity = identified(model, compare_ema=compare_ema, layouts=layouts)
        identity = replace(identity, findings=codes(path, model, identity))
        return Inspection(identity=identity, model=model)


def identity_of(path: StrPath) -> Identity:
    """Return what the file at `path` is, and no findings.

    Raises:
        KannaError: as `inspect`.
    """
    with open_model(path) as model:
        return identified(model, compare_ema=False)


def identified(model: ModelFile, *, compare_ema: bool, layouts: Layouts | None = None) -> Identity:
    """Return the identity, with what the cache of hashes knows already.

    `compare_ema` asks whether the EMA equals the model; `layouts` is as in `inspect`.
    """
    remembered = _remembered(model)
    published = remembered.published if remembered else None
    identity = identify(model, published=published, layouts=layouts)
    if remembered is not None:
        hashes = remembered.digests.to_json()
        identity = replace(identity, hashes=hashes, vae_identity=remembered.vae)
    if not compare_ema or not identity.ema.pairs:
        return identity
    from kanna.ops.ema import equal_to_model

    equal = equal_to_model(model, identity.ema.pairs)
    return replace(identity, ema=replace(identity.ema, equal_to_model=equal))


def _remembered(model: ModelFile) -> Recollection | None:
    place = existing_cache()
    if place is None:
        return None
    from kanna.hashing.recall import recall  # most who look at a file never hashed any

    return recall(model, place)
