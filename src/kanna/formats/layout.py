"""Where every byte of an output goes: the writing half of the containers.

A layout is known before any weight is read. Tensors and blocks tile the file exactly: whatever is
not tensor data is in a block, and all blocks can be made once the digest and checksums are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from kanna.dtypes import DType
from kanna.errors import Incompatible

Spec = tuple[str, DType, tuple[int, ...]]
Block = tuple[int, bytes]

_LAYOUTS: Final = {
    "safetensors": "kanna.formats.safetensors_layout",
    "ckpt": "kanna.formats.checkpoint.layout",
    "gguf": "kanna.formats.gguf_layout",
}
_NO_DIGEST: Final = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayout:
    """The exact size of a file, where each tensor starts, and what stands between the tensors.

    `blocks` takes the SHA-256 of the tensor data (64 digits) and the CRC-32 of each tensor, and
    yields ``(offset, bytes)``. `wants_digest` and `wants_crcs` say which of the two it looks at.
    `stated` is what a reader will tell as metadata beside the texts that were given.
    """

    size: int
    offsets: tuple[int, ...]
    blocks: Callable[[str, Sequence[int]], Iterable[Block]]
    wants_digest: bool
    wants_crcs: bool
    stated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Text to text, some of it not known yet: fields that hold the digest of the tensor data."""

    fields: Mapping[str, str]
    digest_fields: Mapping[str, str]

    def filled(self, digest: str = _NO_DIGEST) -> dict[str, str]:
        """Return all fields; those for the digest hold their prefix and the 64 digits."""
        known = {name: prefix + digest for name, prefix in self.digest_fields.items()}
        return {**self.fields, **known}


def arrange(
    container: str,
    specs: Sequence[Spec],
    *,
    metadata: Mapping[str, str],
    digest_fields: Mapping[str, str],
    extras: Mapping[str, object],
) -> FileLayout:
    """Return the layout of a `container` that holds tensors like `specs`, in that order.

    Raises:
        Incompatible: the container cannot hold one of the names, dtypes or extras.
    """
    names: set[str] = set()
    for name, _, _ in specs:
        check_text(name)
        if name in names:
            raise Incompatible("layout.twice", name=name)
        names.add(name)
    layout: FileLayout = import_module(_LAYOUTS[container]).arrange(
        specs, Metadata(metadata, digest_fields), extras
    )
    return layout


def check_text(text: str) -> None:
    """Refuse text that UTF-8 cannot carry.

    Raises:
        Incompatible: `text` has lone surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Incompatible("layout.not_utf8", name=text) from error
