"""Parts of a file that are quantised, as the plain numbers that they stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from kanna.errors import Incompatible
from kanna.formats.ggml_types import BlockType
from kanna.identify import identify
from kanna.identity import Identity, Part
from kanna.messages import say
from kanna.model import ModelFile, Note, TensorInfo
from kanna.ops.casting import Precision
from kanna.quantizing.stored import dequantised, is_quantised

_REST: Final = "leftovers"


def plain_parts(
    model: ModelFile, identity: Identity, parts: Iterable[Part]
) -> tuple[ModelFile, Identity]:
    """Return the file with plain numbers in `parts`, and what it is then.

    Raises:
        Incompatible: one of them cannot be decoded.
        FormatError: one of them is not what it must be.
        MissingExtra: it is of a type of GGUF that takes the ``gguf`` package.
    """
    return _plain(model, identity, {name for part in parts for name in part.names})


def _plain(
    model: ModelFile, identity: Identity, names: Collection[str]
) -> tuple[ModelFile, Identity]:
    if not is_quantised(model, names):
        return model, identity
    plain = dequantised(model, names)
    known = identify(plain)
    return plain, replace(known, variant=known.variant or identity.variant)


def decoded_for(
    model: ModelFile, identity: Identity, precision: Precision
) -> tuple[ModelFile, Identity, dict[str, Note]]:
    """Return the file with plain numbers in all that `precision` casts, and what to tell, by role.

    What it leaves alone stays quantised.

    Raises:
        Incompatible: a part cannot be decoded.
        FormatError: a part is not what it must be.
        MissingExtra: it is of a type of GGUF that takes the ``gguf`` package.
    """
    cast = [part for part in identity.parts if precision.of(part.role) is not None]
    schemes = {
        part.role: scheme
        for part in cast
        if (scheme := scheme_of(part, [model[n] for n in part.names]))
    }
    names = {name for part in cast if part.role in schemes for name in part.names}
    parts = {name for part in identity.parts for name in part.names}
    if precision.of(_REST) is not None:
        names |= {name for name in model if name not in parts and in_blocks(model, (name,))}
    told = {role: _note(role, scheme) for role, scheme in schemes.items()}
    return *_plain(model, identity, names), told


def refuse_blocks(model: ModelFile, tensors: Mapping[str, TensorInfo]) -> None:
    """Refuse to write blocks, which only a GGUF can hold.

    Raises:
        Incompatible: there are some, for nobody said what they should become.
    """
    for tensor in tensors.values():
        if isinstance(tensor.dtype, BlockType):
            raise Incompatible("gguf.part_needs_dtype", path=model.path, type=tensor.dtype.word)


def in_blocks(model: ModelFile, names: Iterable[str]) -> bool:
    """Whether any of `names` is in blocks of a GGUF."""
    return any(isinstance(model[name].dtype, BlockType) for name in names)


def quantised_parts(model: ModelFile, identity: Identity) -> list[Part]:
    """Return the parts of which any weight is quantised."""
    return [part for part in identity.parts if is_quantised(model, part.names)]


def scheme_of(part: Part, tensors: Iterable[TensorInfo]) -> str | None:
    """Return how a part is quantised: by scales beside its numbers, or in blocks of a GGUF."""
    blocks = {tensor.dtype.word for tensor in tensors if isinstance(tensor.dtype, BlockType)}
    if blocks:
        return "+".join(sorted(blocks))
    return (part.quantization or "?") if part.scaled else None


def _note(role: str, scheme: str) -> Note:
    values = {"part": say(f"inspect.part_{role}"), "scheme": scheme}
    return Note("quantize.now_plain", values, warning=False)
