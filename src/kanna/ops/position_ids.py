"""Position ids of CLIP text encoders: 0…76, unless a merge averaged them.

A merge turns the integers into floats; a loader truncates 75.9975 to 75, and a token gets its
neighbour's position. Repairing changes images, so nothing here happens unless it is asked for, and
the plan always says which ids were wrong. Source: AUTOMATIC1111 pull request 6728.
"""

from __future__ import annotations

import struct
from math import prod

from kanna.dtypes import INT64
from kanna.identity import PositionIdKey
from kanna.messages import ranges
from kanna.ops.draft import Draft
from kanna.plan import Constant, Output

MODES = ("repair", "truncate", "keep", "drop")


def set_position_ids(draft: Draft, mode: str) -> None:
    """Treat every position-id tensor as `mode` says: repair, truncate, keep or drop."""
    for key in draft.identity.position_ids.keys:
        if key.name in draft.outputs:
            _treat(draft, key, mode)


def _treat(draft: Draft, key: PositionIdKey, mode: str) -> None:
    wrong = ranges(key.wrong)
    if mode == "drop":
        draft.remove([key.name])
        draft.note("convert.ids_dropped", name=key.name)
        draft.done["position_ids"] = "dropped"
    elif key.state == "ok" or not key.values:
        return
    elif mode == "keep":
        draft.note(f"convert.ids_kept_{_kind(key)}", warning=True, name=key.name, wrong=wrong)
    else:
        ids = range(len(key.values)) if mode == "repair" else [int(v) for v in key.values]
        shape = draft.model[key.name].shape
        if prod(shape) != len(key.values):
            return
        data = struct.pack(f"<{len(ids)}q", *ids)
        draft.outputs[key.name] = Output(key.name, INT64, shape, Constant(data))
        draft.note(f"convert.ids_{mode}_{_kind(key)}", warning=bool(key.wrong), name=key.name,
                   wrong=wrong, dtype=key.dtype)  # fmt: skip
        draft.done["position_ids"] = {"mode": mode, "wrong": list(key.wrong)}


def _kind(key: PositionIdKey) -> str:
    """Whether ids are wrong, or right and only stored as another dtype than int64."""
    return "damaged" if key.wrong else "float"
