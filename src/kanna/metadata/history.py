"""What a file says about itself: kept, extended by what was done, corrected where it went stale.

Sources: ModelSpec 1.0 (``modelspec.hash_sha256`` is "0x" and the SHA-256 of all tensor data);
kohya-ss sd-scripts (``sshs_model_hash`` is the same digest without "0x"; ``sshs_legacy_hash`` is
taken at a fixed place of a file that the trainer wrote, so nobody else can renew it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kanna import __version__
from kanna.model import Note

HISTORY: Final = "kanna.history"
_DIGESTS: Final = {"modelspec.hash_sha256": "0x", "sshs_model_hash": ""}
_CANNOT_RENEW: Final = ("sshs_legacy_hash",)
_MODELSPEC: Final = {"modelspec.sai_model_spec": "1.0.0"}
# transformers and older web UIs refuse a safetensors file whose metadata lacks this
_FORMAT: Final = {"format": "pt"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata for an output, the digests that the engine is to fill in, and what was dropped."""

    fields: Mapping[str, str]
    digest_fields: Mapping[str, str]
    notes: tuple[Note, ...]


def extended(
    old: Mapping[str, str], step: Mapping[str, object], *, digest: bool = True
) -> Metadata:
    """Return `old` with one more `step` of history and with its digests to be renewed.

    `step` is plain data that says what was done. Without `digest` no digest of the data will be
    known, so fields that hold one are dropped rather than left to lie.
    """
    fields = {**_FORMAT, **(_MODELSPEC if digest else {}), **old}
    stale = [key for key in (*_DIGESTS, *_CANNOT_RENEW) if fields.pop(key, None) is not None]
    renewed = {
        key: prefix for key, prefix in _DIGESTS.items()
        if digest and (key in old or key.startswith("modelspec."))
    }  # fmt: skip
    fields[HISTORY] = json.dumps([*history(old), {"kanna": __version__, **step}], ensure_ascii=True)
    notes = tuple(
        Note("convert.hash_dropped", {"field": key}, warning=False)
        for key in stale if key not in renewed
    )  # fmt: skip
    return Metadata(fields, renewed, notes)


def history(metadata: Mapping[str, str]) -> list[object]:
    """Return the steps that kanna recorded in a file; text that is no list counts as none."""
    try:
        steps = json.loads(metadata.get(HISTORY, "[]"))
    except (ValueError, RecursionError):
        return []
    return steps if isinstance(steps, list) else []
