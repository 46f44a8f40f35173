"""Old spellings of tensor names, turned into the ones that every program reads."""

from __future__ import annotations

from collections.abc import Mapping

from kanna.families.key_maps import standard_names
from kanna.identity import Part
from kanna.ops.draft import Draft


def rename_keys(draft: Draft) -> None:
    """Give the parts whose layout has old names, such as NAI's text encoders, the standard ones.

    Raises:
        Incompatible: a standard name is taken by another tensor.
    """
    for part in draft.identity.parts:
        renamed = _renamed(part, standard_names(part.layout))
        if renamed:
            draft.rename(renamed)
            draft.done["renamed"] = len(renamed)
            draft.note("convert.renamed", count=len(renamed))


def _renamed(part: Part, names: Mapping[str, str]) -> dict[str, str]:
    """Return the new full name of every tensor of `part` that gets one."""
    renamed = {}
    for name in part.names:
        old = name[len(part.prefix) :]
        new = _standard(old, names)
        # A prefix that ends with what the new name adds makes the name standard as it is.
        if new != old and not part.prefix.endswith(new.removesuffix(old)):
            renamed[name] = part.prefix + new
    return renamed


def _standard(name: str, names: Mapping[str, str]) -> str:
    """Return the standard name; what stands beside a known weight, such as its scale, moves too."""
    if name in names:
        return names[name]
    module, _, last = name.rpartition(".")
    weight = names.get(f"{module}.weight")
    return weight.removesuffix("weight") + last if weight else name
