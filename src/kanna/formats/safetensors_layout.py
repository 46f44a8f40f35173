"""How a safetensors file is laid out: length, JSON header, tensors one after the other.

Rules: safetensors `tensor.rs` (header at most 100 MB, no gaps, whole bytes per tensor).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Final

from kanna.errors import Incompatible
from kanna.formats.layout import Block, FileLayout, Metadata, Spec, check_text
from kanna.formats.safetensors import HEADER_LIMIT, METADATA

_ALIGNMENT: Final = 8  # of the tensor data, so that readers may map it


def arrange(specs: Sequence[Spec], metadata: Metadata, extras: Mapping[str, object]) -> FileLayout:
    """Return the layout; `extras` have no place in this container and are left out.

    Raises:
        Incompatible: a dtype has no name here, a tensor is called like the metadata, or the
            header would be larger than readers accept.
    """
    del extras
    entries, offsets = _entries(specs)
    header = render(metadata.filled(), entries)
    if len(header) > HEADER_LIMIT:
        raise Incompatible("layout.header_too_large", size=len(header), limit=HEADER_LIMIT)
    start = 8 + len(header)

    def blocks(digest: str, crcs: Sequence[int]) -> Iterator[Block]:
        del crcs
        final = render(metadata.filled(digest), entries)
        yield 0, len(final).to_bytes(8, "little") + final

    return FileLayout(
        size=start + offsets[-1],
        offsets=tuple(start + offset for offset in offsets[:-1]),
        blocks=blocks,
        wants_digest=bool(metadata.digest_fields),
        wants_crcs=False,
    )


def _entries(specs: Sequence[Spec]) -> tuple[dict[str, object], list[int]]:
    entries: dict[str, object] = {}
    offsets = [0]
    for name, dtype, shape in specs:
        if name == METADATA:
            raise Incompatible("layout.reserved_name", name=name)
        if dtype.safetensors is None or prod(shape) * dtype.bits % 8:
            raise Incompatible("layout.dtype", name=name, dtype=dtype.word, container="safetensors")
        offsets.append(offsets[-1] + dtype.nbytes(prod(shape)))
        entries[name] = {
            "dtype": dtype.safetensors,
            "shape": shape,
            "data_offsets": offsets[-2:],
        }
    return entries, offsets


def render(metadata: Mapping[str, str], entries: Mapping[str, object]) -> bytes:
    """Return the header of these `entries`, ended so that the data behind it is aligned.

    Raises:
        Incompatible: a text is not valid Unicode.
    """
    head = {METADATA: metadata} if metadata else {}
    text = json.dumps({**head, **entries}, ensure_ascii=False, separators=(",", ":"))
    check_text(text)
    header = text.encode()
    return header + b" " * (-len(header) % _ALIGNMENT)
