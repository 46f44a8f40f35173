"""Parts of a file that are quantised, as the plain numbers that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kanna.identify import identify
from kanna.identity import Identity, Part
from kanna.model import ModelFile
from kanna.quantizing.stored import dequantised, is_quantised


def plain_parts(
    model: ModelFile, identity: Identity, parts: Iterable[Part]
) -> tuple[ModelFile, Identity]:
    """Return the file with plain numbers in `parts`, and what it is then.

    Raises:
        Incompatible: one of them cannot be decoded.
        FormatError: one of them is not what it must be.
        MissingExtra: it is of a type of GGUF that takes the ``gguf`` package.
    """
    names = {name for part in parts for name in part.names}
    if not is_quantised(model, names):
        return model, identity
    plain = dequantised(model, names)
    known = identify(plain)
    return plain, replace(known, variant=known.variant or identity.variant)


def quantised_parts(model: ModelFile, identity: Identity) -> list[Part]:
    """Return the parts of which any weight is quantised."""
    return [part for part in identity.parts if is_quantised(model, part.names)]
