"""Values of strangers' JSON as the fields of `GenerationInfo`, by tables of keys."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from kanna.infotext.info import Parameter

# The fields of `GenerationInfo` that are read by a table: the key, or the keys in turn.
Fields: TypeAlias = Mapping[str, tuple[str, ...]]
_WHOLE: Final = {"steps", "seed", "width", "height", "clip_skip"}
_NUMBERS: Final = {"cfg_scale", "distilled_cfg_scale", "denoising_strength"}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_MAX_DIGITS: Final = 4000


def text_of(value: object) -> str | None:
    """Return a string as text that can be stored anywhere; of anything else None."""
    if not isinstance(value, str):
        return None
    if not _SURROGATES.search(value):
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def number_of(value: object) -> float | None:
    """Return a finite number, also one that is written as text."""
    if isinstance(value, str) and len(value) < _MAX_DIGITS:
        stripped = value.strip()
        value = float(stripped) if _NUMBER.fullmatch(stripped) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole_of(value: object) -> int | None:
    """Return a whole number of any size, also one that is written as text or as 20.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) < _MAX_DIGITS:
        stripped = value.strip()
        return int(stripped) if re.fullmatch(r"[+-]?[0-9]+", stripped) else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def shown_value(value: object) -> str:
    """Return a value as the text of a parameter: a string as it is, anything else as JSON."""
    text = text_of(value)
    if text is None:
        text = text_of(json.dumps(value, ensure_ascii=False))
    assert text is not None  # JSON is a string
    return text


def pairs_of(document: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the members of an object as parameters, in their order."""
    return tuple(
        Parameter(key=shown_value(key), value=shown_value(value)) for key, value in document.items()
    )


def read_field(
    name: str, document: Mapping[str, Any], keys: Iterable[str]
) -> tuple[Any, str | None]:
    """Return the first value of a field that one of the keys holds, and that key."""
    for key in keys:
        value = as_field(name, document.get(key))
        if value is not None:
            return value, key
    return None, None


def as_field(name: str, value: object) -> Any:
    """Return a value as the field `name` of `GenerationInfo` has it, None where it is none."""
    if name in _WHOLE:
        return whole_of(value)
    if name in _NUMBERS:
        return number_of(value)
    return text_of(value)


def object_of(value: object) -> Mapping[str, Any]:
    """Return an object, an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """Return a list, an empty one in the place of anything else."""
    return value if isinstance(value, list) else []
