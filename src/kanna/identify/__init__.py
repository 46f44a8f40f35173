"""ModelFile to Identity: what is this file, and how sure is that?"""

from __future__ import annotations

from kanna.identity import Identity
from kanna.model import ModelFile


def identify(model: ModelFile, *, peek: bool = True) -> Identity:
    """Return what `model` is, from its header and at most 4 KiB of small named tensors."""
    del peek
    return Identity(
        path=str(model.path),
        size=model.size,
        container=model.container,
        kind="unknown",
        architecture=None,
        certainty="unknown",
        metadata=model.metadata,
    )
