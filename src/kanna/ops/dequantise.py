"""Parts of a file that are quantised, as the plain numbers that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kanna.errors import Incompatible
from kanna.formats.ggml_types import BlockType
from kanna.identify import identify
from kanna.identity import Identity, Part
from kanna.messages import say
from kanna.model import ModelFile, Note
from kanna.ops.casting import Precision
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


def decoded_for(
    model: ModelFile, identity: Identity, precision: Precision
) -> tuple[ModelFile, Identity, tuple[Note, ...]]:
    """Return the file with plain numbers in all parts that `precision` casts, and what to tell.

    What it leaves alone stays quantised.

    Raises:
        Incompatible: a part cannot be decoded; or it is in blocks, which only a GGUF can hold, and
            nobody said what they should become.
        FormatError: a part is not what it must be.
        MissingExtra: it is of a type of GGUF that takes the ``gguf`` package.
    """
    wanted = [
        part
        for part in identity.parts
        if precision.of(part.role) is not None and (part.scaled or in_blocks(model, part.names))
    ]
    plain, known = plain_parts(model, identity, wanted)
    for tensor in plain.values():
        if isinstance(tensor.dtype, BlockType):
            raise Incompatible("gguf.part_needs_dtype", path=model.path, type=tensor.dtype.word)
    told: list[Note] = []
    for part in wanted:
        values = {"part": say(f"inspect.part_{part.role}"), "scheme": part.quantization}
        if (note := Note("quantize.now_plain", values, warning=False)) not in told:
            told.append(note)
    return plain, known, tuple(told)


def in_blocks(model: ModelFile, names: Iterable[str]) -> bool:
    """Whether any of `names` is in blocks of a GGUF."""
    return any(isinstance(model[name].dtype, BlockType) for name in names)


def quantised_parts(model: ModelFile, identity: Identity) -> list[Part]:
    """Return the parts of which any weight is quantised."""
    return [part for part in identity.parts if is_quantised(model, part.names)]
