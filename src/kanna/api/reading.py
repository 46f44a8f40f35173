"""What a file is: `inspect`, and the header and identity that the other verbs start from."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from kanna.formats import open_model
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import ModelFile

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What `inspect` found: the identity, and the header of the file, which is closed by then."""

    identity: Identity
    model: ModelFile


def inspect(path: StrPath, *, compare_ema: bool = False) -> Inspection:
    """Say what a model file is, from its header.

    At most 4 KiB of named small tensors are read, unless `compare_ema` asks to compare the EMA
    with the model, which reads both.

    Raises:
        FormatError: the file is broken.
        UnsafeFile: the file pretends to be of a safe format.
        Incomplete: there is no such file, or a shard is missing.
    """
    with open_model(path) as model:
        return Inspection(identity=identified(model, compare_ema=compare_ema), model=model)


def identified(model: ModelFile, *, compare_ema: bool) -> Identity:
    """Return the identity, on request with the answer to whether the EMA equals the model."""
    identity = identify(model)
    if not compare_ema or not identity.ema.pairs:
        return identity
    from kanna.ops.ema import equal_to_model

    equal = equal_to_model(model, identity.ema.pairs)
    return replace(identity, ema=replace(identity.ema, equal_to_model=equal))
