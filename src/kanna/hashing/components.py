"""Digests that name what is inside a file, whatever the file around it looks like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from kanna.dtypes import FP16, DType
from kanna.families import row_called
from kanna.families.key_maps import key_map
from kanna.families.old_names import standard_names
from kanna.hashing.cache import PartDigest
from kanna.identity import Identity, Part
from kanna.kernel import weighted_sum
from kanna.model import ModelFile, TensorInfo

_CHUNK: Final = 1 << 22
# Parts that files hold in several layouts: the table of names, and the layout that counts.
_CANONICAL: Final = {"vae": ("vae-kl", "ldm")}


def component_digest(tensors: Mapping[str, TensorInfo], dtype: DType) -> str:
    """Return the SHA-256 that identifies a component by its numbers.

    `tensors` maps canonical names (without prefix) to tensors. Names are taken in sorted order,
    each followed by a zero byte and its row-major data, floating data rounded to `dtype`. So the
    digest does not change with the order, the prefix, the container, or a precision above `dtype`;
    shapes do not enter, because 1x1 convolutions are stored as matrices by some programs.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
        for block in _blocks(tensors[name], dtype):
            digest.update(block)
    return digest.hexdigest()


def component_digests(components: Sequence[Mapping[str, TensorInfo]], dtype: DType) -> list[str]:
    """Return the digest of each component, computed side by side."""
    with ThreadPoolExecutor(len(components)) as pool:
        return list(pool.map(partial(component_digest, dtype=dtype), components))


def part_digests(model: ModelFile, identity: Identity) -> list[PartDigest]:
    """Return the digest in fp16 of every part of `model` that is whole and not quantised.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    parts = [part for part in identity.parts if _comparable(part)]
    if not parts:
        return []
    named = [_canonical(model, part) for part in parts]
    digests = component_digests(named, FP16)
    return [
        PartDigest(role=part.role, variant=part.variant, prefix=part.prefix, digest=digest)
        for part, digest in zip(parts, digests, strict=True)
    ]


def native_names(part: Part) -> dict[str, str]:
    """Return the name that counts, without prefix, of each tensor of a part its table knows."""
    mapped, start = _mapped(part), len(part.prefix)
    names = (name for name in part.names if name not in part.unexpected)
    return {name: mapped.get(name[start:], name[start:]) for name in names}


def _mapped(part: Part) -> Mapping[str, str]:
    """Return the names that count by those of the part's layout, where they differ."""
    names = [name[len(part.prefix) :] for name in part.names]
    if part.role not in _CANONICAL:
        return standard_names(part.layout, names)
    table, layout = _CANONICAL[part.role]
    if part.layout in {None, layout}:
        return {}
    try:
        return key_map(table, names, source=part.layout or "", target=layout)
    except KeyError:  # no map for this layout: it is compared with its own kind only
        return {}


def _comparable(part: Part) -> bool:
    return bool(part.component) and not part.missing and not part.misshapen and not part.scaled


def _canonical(model: ModelFile, part: Part) -> dict[str, TensorInfo]:
    """Return the tensors that every file with this part has, by the names that count.

    Position ids and the like are in some files and not in others.
    """
    mapped, required = _mapped(part), row_called(part.component).required
    wanted = {mapped.get(name, name) for name in required}
    names = native_names(part).items()
    return {key: model[name] for name, key in names if not wanted or key in wanted}


def _blocks(tensor: TensorInfo, dtype: DType) -> Iterator[memoryview]:
    """Yield the tensor's data in pieces, floats rounded to `dtype`."""
    if not tensor.dtype.is_float or tensor.dtype is dtype:
        yield from tensor.pieces(_CHUNK)
        return
    target = bytearray()
    for piece in tensor.pieces(_CHUNK):
        count = len(piece) * 8 // tensor.dtype.bits
        size = dtype.nbytes(count)
        if len(target) < size:
            target = bytearray(size)
        out = memoryview(target)[:size]
        weighted_sum(out, dtype, [piece], [tensor.dtype], (1.0,), count)
        yield out
