"""Position ids: the numbers 0 … 76 that every CLIP text encoder of the SD1 and SDXL line stores.

Merging in half precision turned some into 75.99…, and a loader that truncates makes 75 of it: two
words then stand in one place. Source: the reports named in AUTOMATIC1111's model toolkit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kanna.families import tables
from kanna.identity import IdState, PositionIdKey, PositionIds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanna.identify.peek import Peek
    from kanna.model import TensorInfo

_INT64: Final = 1 << 63
_WORST: Final[tuple[IdState, ...]] = ("damaged", "float", "unread", "ok", "absent")


def read_position_ids(model: Mapping[str, TensorInfo], peek: Peek) -> PositionIds:
    """Return the state of every position-id tensor of a text encoder.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    everywhere = tables()["everywhere"]
    ends = tuple(everywhere["position_ids"])
    keys = tuple(
        _key(model[name], peek)
        for name in model
        if name.endswith(ends) and model[name].numel == everywhere["position_count"]
    )
    state: IdState = min((key.state for key in keys), key=_WORST.index, default="absent")
    return PositionIds(state=state, keys=keys)


def _key(tensor: TensorInfo, peek: Peek) -> PositionIdKey:
    values = peek.values(tensor)
    if values is None:
        return PositionIdKey(name=tensor.name, dtype=tensor.dtype.word, state="unread")
    loaded = tuple(map(_loaded, values))
    wrong = tuple(at for at, index in enumerate(loaded) if index != at)
    state: IdState = "damaged" if wrong else "ok" if tensor.dtype.kind == "int" else "float"
    return PositionIdKey(
        name=tensor.name,
        dtype=tensor.dtype.word,
        state=state,
        values=values,
        loaded=loaded,
        wrong=wrong,
    )


def _loaded(value: float) -> int | None:
    """Return what a loader makes of `value`: the integer towards zero, if an int64 can hold it."""
    return int(value) if -_INT64 <= value < _INT64 else None
