"""What the output of a merge says of itself: the recipe, whose model it is, what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from kanna.merging import provenance
from kanna.merging.recipe import Recipe, Source
from kanna.ops.merge import MergePlan
from kanna.ops.merge_inputs import Opened
from kanna.ops.naming import kept_stem
from kanna.plan import Plan

_TITLE: Final = "modelspec.title"
_MERGED_FROM: Final = "modelspec.merged_from"
# The input channels of models that A1111 calls so.
_INPAINTING: Final = 9
_PIX2PIX: Final = 8


def signed(planned: MergePlan, recipe: Recipe, sources: Mapping[str, Opened], title: str) -> Plan:
    """Return the plan of a merge with its recipe in the metadata.

    `recipe` has the SHA-256 of its sources as far as they are known. Where the leading model says
    what it is called, the output is called `title`. Source of ``merged_from``: ModelSpec 1.0.
    """
    plan, channels = planned.plan, planned.wide.channels if planned.wide else 0
    told = provenance.fields(
        recipe, {name: _origin(opened) for name, opened in sources.items()},
        inpainting=channels == _INPAINTING, instruct_pix2pix=channels == _PIX2PIX,
    )  # fmt: skip
    named = {_TITLE: title} if _TITLE in plan.metadata else {}
    merged = [name for name in (*planned.parts.models, *planned.parts.loras) if name in sources]
    if len(merged) > 1:
        files = ((sources[name], recipe.sources[name]) for name in merged)
        named[_MERGED_FROM] = ", ".join(_title(opened, source) for opened, source in files)
    return replace(plan, metadata={**plan.metadata, **named, **told})


def _origin(opened: Opened) -> provenance.Origin:
    return provenance.Origin(
        name=opened.model.path.name, sha256=opened.sha256, legacy_hash=opened.autov1,
        metadata=opened.model.metadata,
    )  # fmt: skip


def _title(opened: Opened, source: Source) -> str:
    name = provenance.told_name(source, opened.model.path.name)
    return opened.model.metadata.get(_TITLE) or kept_stem(Path(name))
