"""Old spellings of tensor names, turned into the ones that every program reads."""

from __future__ import annotations

from kanna.families.key_maps import key_map
from kanna.ops.draft import Draft


def rename_keys(draft: Draft) -> None:
    """Give text encoders in the NAI layout (without ``text_model.``) the standard names."""
    for part in draft.identity.parts:
        if part.layout != "nai":
            continue
        names = key_map("clip-l", source="nai", target="hf")
        renamed = {
            name: part.prefix + names[name[len(part.prefix) :]]
            for name in part.names if name not in part.unexpected
        }  # fmt: skip
        draft.rename(renamed)
        draft.done["renamed"] = len(renamed)
        draft.note("convert.renamed", count=len(renamed))
