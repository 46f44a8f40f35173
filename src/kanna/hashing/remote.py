"""Digests of a file behind a URL without moving its weights: what its hub and its header say.

The Hugging Face hub keeps large files under their SHA-256 and tells it in the file's git-lfs
pointer. The data's SHA-256 stands in the metadata of many safetensors files. AutoV1 is made of 64
KiB, which are read.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from kanna.disk import is_remote, open_input
from kanna.disk.addresses import RemotePath
from kanna.disk.hub import resolved
from kanna.errors import KannaError, RemoteError
from kanna.formats import open_model
from kanna.hashing.digests import AUTOV1_LENGTH, AUTOV1_START, Digests

if TYPE_CHECKING:
    from pathlib import Path

_POINTER_LIMIT: Final = 4096  # bytes; a pointer has about 130
# Source: git-lfs docs/spec.md, "The Pointer".
_POINTER: Final = re.compile(
    r"version https://git-lfs\.github\.com/spec/v1\n.*?oid sha256:(?P<digits>[0-9a-f]{64})\n"
    r".*?size (?P<size>\d+)\n",
    re.DOTALL,
)
# The fields that hold the SHA-256 of the tensor data. Sources: ModelSpec 1.0.1; kohya-ss
# sd-scripts library/train_util.py, precalculate_safetensors_hashes.
_FIELDS: Final = ("modelspec.hash_sha256", "sshs_model_hash")
_DIGEST: Final = re.compile(r"(0x)?(?P<digits>[0-9a-fA-F]{64})")


def told_digests(path: Path) -> Digests:
    """Return the digests of the file at the URL `path` that can be had without its weights.

    Raises:
        RemoteError: the server cannot be reached, or refuses.
    """
    assert is_remote(path)
    with closing(open_input(path)) as file:
        length = min(max(file.size - AUTOV1_START, 0), AUTOV1_LENGTH)
        autov1 = hashlib.sha256(file.read(AUTOV1_START, length)).hexdigest()[:8]
        size = file.size
    return Digests(
        size=size, sha256=_hub_says(path, size), autov1=autov1, data_sha256=_header_says(path)
    )


def _hub_says(path: Path, size: int) -> str | None:
    """Return the SHA-256 under which the hub keeps the file, or None where it does not say."""
    address = str(path)
    if not address.startswith("hf://"):
        return None
    with suppress(RemoteError), closing(open_input(RemotePath(resolved(address, "raw")))) as file:
        text = file.read(0, min(file.size, _POINTER_LIMIT)).decode("utf-8", "replace")
        match = _POINTER.match(text)
        if match and int(match["size"]) == size:
            return match["digits"]
    return None


def _header_says(path: Path) -> str | None:
    with suppress(KannaError), open_model(path) as model:
        for field in _FIELDS:
            if match := _DIGEST.fullmatch(model.metadata.get(field, "")):
                return match["digits"].lower()
    return None
