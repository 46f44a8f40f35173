"""Position ids of CLIP text encoders: 0…76, unless a merge averaged them.

A merge turns the integers into floats; a loader truncates 75.9975 to 75, and a token gets its
neighbour's position. Repairing changes images, so nothing here happens unless it is asked for, and
the plan always says which ids were wrong. Source: AUTOMATIC1111 pull request 6728.
"""

from __future__ import annotations

import struct

from kanna.dtypes import INT64
from kanna.errors import Incompatible
from kanna.identity import PositionIdKey
from kanna.messages import ranges
from kanna.ops.draft import Draft
from kanna.plan import Constant, Output


def set_position_ids(draft: Draft, mode: str) -> None:
    """Treat every position-id tensor as `mode` says: repair, truncate, keep or drop."""
    for key in draft.identity.position_ids.keys:
        if key.name in draft.outputs:
            _treat(draft, key, mode)


def _treat(draft: Draft, key: PositionIdKey, mode: str) -> None:
    kind = _kind(key)
    if mode == "drop":
        draft.remove([key.name])
        draft.note("convert.ids_dropped", name=key.name)
        draft.done["position_ids"] = "dropped"
    elif key.state != "ok":
        if mode != "keep":
            _write(draft, key, mode)
        draft.note(f"convert.ids_{mode}_{kind}", warning=kind != "float" or mode == "keep",
                   name=key.name, wrong=ranges(key.wrong), dtype=key.dtype)  # fmt: skip


def _write(draft: Draft, key: PositionIdKey, mode: str) -> None:
    """Put integers in the place of the ids: what they should be, or what loaders make of them.

    Raises:
        Incompatible: loaders make no integers of them.
    """
    tensor = draft.model[key.name]
    ids = range(tensor.numel) if mode == "repair" else [i for i in key.loaded if i is not None]
    if len(ids) != tensor.numel:
        raise Incompatible("convert.ids_no_integers", path=draft.model.path, name=key.name)
    data = struct.pack(f"<{len(ids)}q", *ids)
    draft.outputs[key.name] = Output(key.name, INT64, tensor.shape, Constant(data))
    draft.done["position_ids"] = {"mode": mode, "wrong": list(key.wrong)}


def _kind(key: PositionIdKey) -> str:
    """Whether ids could not be read, are wrong, or are right and only stored as another dtype."""
    if key.state == "unread":
        return "unread"
    return "damaged" if key.wrong else "float"
