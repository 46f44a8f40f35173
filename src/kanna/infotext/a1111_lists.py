"""Digests by name in one value, as ``Lora hashes`` has them, and how a model is called there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kanna.formats import MODEL_SUFFIXES

_PARTING: Final = re.compile(r"[:,<>]")  # what parts such lists, and tokens in prompts


def listed_hashes(value: str) -> dict[str, str]:
    """Return the digests that a value lists, by name."""
    items = (item.rpartition(":") for item in value.split(","))
    return {name.strip(): digest.strip() for name, colon, digest in items if colon}


def hash_list(digests: Mapping[str, str]) -> str:
    """Return the value that lists these digests by name; what lacks either is left out."""
    return ", ".join(f"{name}: {digest}" for name, digest in digests.items() if name and digest)


def name_in_list(name: str) -> str:
    """Return a name as A1111 shows it: without folders, suffix, and what parts pairs or tokens."""
    name = re.split(r"[\\/]", name)[-1]
    suffix = next((one for one in MODEL_SUFFIXES if name.lower().endswith(one)), "")
    return _PARTING.sub("", name[: len(name) - len(suffix)]).strip()
