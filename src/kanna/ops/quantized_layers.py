"""The list of quantised layers that ComfyUI keeps in metadata: it goes with the parts it tells of.

Source: ComfyUI quant_ops.py, ``_quantization_metadata``: ``{"format_version": …, "layers": {layer:
{"format": …}}}``, where a layer is the full name of a module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

FIELD: Final = "_quantization_metadata"


def moved(metadata: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """Return the field for the layers under the prefix `old`, which is now `new`; {} for none."""
    document = _read(metadata)
    layers = {
        new + name[len(old) :]: how
        for name, how in document.get("layers", {}).items()
        if name.startswith(old)
    }
    return {FIELD: json.dumps({**document, "layers": layers})} if layers else {}


def together(fields: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return one field with the layers of all; {} where there are none."""
    documents = [document for field in fields if (document := _read(field))]
    layers = {name: how for document in documents for name, how in document["layers"].items()}
    return {FIELD: json.dumps({**documents[0], "layers": layers})} if layers else {}


def _read(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the list, or {} where it is none: text in metadata may be anything."""
    try:
        document = json.loads(metadata.get(FIELD, "null"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or not isinstance(document.get("layers"), dict):
        return {}
    return document
