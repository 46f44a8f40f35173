"""Looks at parts in their places as every reader will: is each of them still what it was?

Records say where parts stood, and strangers write records. So what is to be written is recognised
before it is: a part under a prefix or in names where nobody would look for it is found out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanna.identify import identify
from kanna.model import ModelFile
from kanna.ops.parts import EMA
from kanna.ops.seating import Placed


def all_recognised(placed: Sequence[Placed]) -> bool:
    """Return whether a file with these parts is seen to have each of them, whole, in its place.

    Raises:
        FormatError: an input does not hold what its header says.
    """
    tensors = {name: tensor for one in placed for name, tensor in one.tensors.items()}
    if len(tensors) < sum(len(one.tensors) for one in placed):
        return False
    whole = ModelFile(path=Path(), container="safetensors", size=0, tensors=tensors, files=())
    identity = identify(whole)
    seen = {
        (part.role, part.prefix, part.layout)
        for part in identity.parts
        if part.names and not part.missing and not part.misshapen
    }
    copies = set(identity.ema.pairs.values())
    return all(
        copies.issuperset(one.tensors)
        if one.offer.role == EMA
        else (one.offer.role, one.prefix, one.layout) in seen
        for one in placed
        if one.offer.part is not None
    )
