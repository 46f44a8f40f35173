"""The list of quantised layers that ComfyUI keeps in metadata: it goes with the parts it tells of.

What the list looks like, and how it is read: `kanna.quantizing.comfy`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from kanna.quantizing.comfy import QUANTIZATION_METADATA, list_in


def moved(metadata: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """Return the field for the layers under the prefix `old`, which is now `new`; {} for none."""
    document = list_in(metadata)
    layers = {
        new + name[len(old) :]: how
        for name, how in document.get("layers", {}).items()
        if name.startswith(old)
    }
    return {QUANTIZATION_METADATA: json.dumps({**document, "layers": layers})} if layers else {}


def together(fields: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return one field with the layers of all; {} where there are none."""
    documents = [document for field in fields if (document := list_in(field))]
    layers = {name: how for document in documents for name, how in document["layers"].items()}
    return {QUANTIZATION_METADATA: json.dumps({**documents[0], "layers": layers})} if layers else {}
