"""What PEFT says of a LoRA beside its tensors: in the file's metadata, or in a file next to it.

Sources: huggingface/peft tuners/lora/config.py (lora_alpha, r, alpha_pattern, rank_pattern,
use_rslora), tuners/loha and lokr config.py (alpha), utils/other.py get_pattern_key;
huggingface/diffusers lora_base.py (lora_adapter_metadata), which keeps the same in metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from math import isfinite, sqrt
from typing import Any, Final

from kanna.disk import is_remote, open_input
from kanna.errors import Incompatible
from kanna.formats import strict_json
from kanna.model import ModelFile

CONFIG: Final = "adapter_config.json"
_LIMIT: Final = 16 << 20  # bytes of such a file; real ones have a few thousand
# What stands in patterns that are more than paths.
_SIGNS: Final = frozenset("*+?[](){}|\\$")


def config_beside(model: ModelFile) -> Mapping[str, Any]:
    """Return the settings in ``adapter_config.json`` beside `model`; empty where there is none.

    Raises:
        FormatError: it is no JSON, or cannot be read.
    """
    if is_remote(model.path) or not model.path.name:
        return {}
    path = model.path.with_name(CONFIG)
    if not path.is_file():
        return {}
    with closing(open_input(path)) as file:
        return strict_json.load(file, limit=_LIMIT)


def alpha_of(settings: Mapping[str, Any], name: str, path: str, rank: int | None) -> float | None:
    """Return the alpha that `settings` give a module, as one that is held against its `rank`.

    The part's word may stand before each key: ``unet.lora_alpha``.

    Raises:
        Incompatible: they name modules by patterns that are more than paths.
    """
    own = _own(settings, name)
    alpha = settings.get(f"{own}lora_alpha", settings.get(f"{own}alpha"))
    for value in _matching(settings.get(f"{own}alpha_pattern"), path):
        alpha = value
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not isfinite(alpha):
        return None
    return alpha * sqrt(rank) if settings.get(f"{own}use_rslora") is True and rank else alpha


def rank_of(settings: Mapping[str, Any], name: str, path: str) -> object:
    """Return the rank that `settings` give a module; None where they give none.

    Raises:
        Incompatible: they name modules by patterns that are more than paths.
    """
    own = _own(settings, name)
    found = settings.get(f"{own}r")
    for value in _matching(settings.get(f"{own}rank_pattern"), path):
        found = value
    return found


def _own(settings: Mapping[str, Any], name: str) -> str:
    start = name.partition(".")[0] + "."
    return start if any(key.startswith(start) for key in settings) else ""


def _matching(patterns: object, path: str) -> Iterator[object]:
    """Yield what `patterns` give for `path`: those that end it, or with ``^`` are all of it."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        key = pattern.removeprefix("^")
        if not _SIGNS.isdisjoint(key):
            raise Incompatible("lora.pattern_unclear", pattern=pattern)
        if path == key or (key == pattern and path.endswith(f".{key}")):
            yield value
