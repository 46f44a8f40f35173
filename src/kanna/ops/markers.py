"""Empty tensors that say how a model is to be used, such as ``v_pred``: put in where they lack."""

from __future__ import annotations

from collections.abc import Iterable

from kanna.dtypes import INT64
from kanna.errors import Incompatible, UsageError
from kanna.families.configs import marker_names
from kanna.ops.draft import Draft
from kanna.plan import Constant, Output


def add_markers(draft: Draft, names: Iterable[str]) -> None:
    """Put the empty tensors `names` into the output; one that is there stays as it is.

    Raises:
        UsageError: a name is none of a known marker.
        Incompatible: the file holds no diffusion model, which alone a marker speaks of.
    """
    added: list[str] = []
    for name in names:
        if name not in marker_names():
            raise UsageError("convert.no_such_word", option="markers", word=name,
                             words=", ".join(marker_names()))  # fmt: skip
        if draft.identity.part("diffusion_model") is None:
            raise Incompatible("convert.marker_without_model", path=draft.model.path, name=name)
        if name in draft.outputs:
            draft.note("convert.marker_there", name=name)
            continue
        draft.put(Output(name, INT64, (0,), Constant(b"")), "marker")
        draft.fixed.add(name)
        draft.note("convert.marker_added", name=name)
        added.append(name)
    if added:
        draft.done["markers"] = added
        draft.tags += added
