"""Old spellings of tensor names, turned into the ones that every program reads."""

from __future__ import annotations

from kanna.families.old_names import renamed
from kanna.ops.draft import Draft


def rename_keys(draft: Draft) -> None:
    """Give the parts whose layout has old names, such as NAI's text encoders, the standard ones.

    Raises:
        Incompatible: a standard name is taken by another tensor.
    """
    for part in draft.identity.parts:
        new_names = renamed(part.names, part.prefix, part.layout)
        if new_names:
            draft.rename(new_names)
            draft.done["renamed"] = len(new_names)
            draft.note("convert.renamed", count=len(new_names))
