"""What PEFT says of a LoRA beside its tensors: in the file's metadata, or in a file next to it.

Sources: huggingface/peft tuners/lora/config.py (lora_alpha, r, alpha_pattern, rank_pattern,
use_rslora), tuners/loha and lokr config.py (alpha), utils/other.py get_pattern_key;
huggingface/diffusers lora_base.py (lora_adapter_metadata), which keeps the same in metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, Final

from kanna.disk import is_remote, open_input
from kanna.errors import Incompatible
from kanna.formats import strict_json
from kanna.lora.modules import Module
from kanna.model import ModelFile

_CONFIG: Final = "adapter_config.json"
_LIMIT: Final = 16 << 20  # bytes of such a file; real ones have a few thousand
# What stands in patterns that are more than paths.
_SIGNS: Final = frozenset("*+?[](){}|\\$")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """PEFT's settings: `values` by key, and `patterns`, which say it of some modules only.

    The word of a part may stand before each key: ``unet.lora_alpha``. Of the patterns of a key each
    path has its place among them, and its value.
    """

    values: Mapping[str, Any]
    patterns: Mapping[str, Mapping[str, tuple[int, object]]]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.values)

    def alpha_of(self, module: Module) -> float | None:
        """Return the alpha of a module, as one that is held against its rank; None without one."""
        alpha = self._of(module, ("lora_alpha", "alpha"), "alpha_pattern")
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not isfinite(alpha):
            return None
        stabilised = self.values.get(f"{self._own(module)}use_rslora") is True
        return alpha * sqrt(module.rank) if stabilised and module.rank else float(alpha)

    def rank_of(self, module: Module) -> object:
        """Return the rank that a module should have; None where nothing is said."""
        return self._of(module, ("r",), "rank_pattern")

    def _of(self, module: Module, keys: tuple[str, ...], patterns: str) -> object:
        """Return what the first pattern says that ends the path, or with ``^`` is all of it."""
        own, words = self._own(module), module.path.split(".")
        known = self.patterns.get(own + patterns, {})
        ends = [f"^{module.path}", *(".".join(words[at:]) for at in range(len(words)))]
        found = [known[end] for end in ends if end in known]
        if found:
            return min(found, key=lambda pair: pair[0])[1]
        return next((self.values[own + key] for key in keys if own + key in self.values), None)

    def _own(self, module: Module) -> str:
        start = module.name.partition(".")[0] + "."
        return start if any(key.startswith(start) for key in self.values) else ""


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Return PEFT's settings, of which `values` are all.

    Raises:
        Incompatible: they name modules by patterns that are more than paths.
    """
    patterns = {
        key: {_path(pattern): (at, one) for at, (pattern, one) in enumerate(value.items())}
        for key, value in values.items()
        if key.endswith("_pattern") and isinstance(value, dict)
    }
    return Settings(values=values, patterns=patterns)


def settings_beside(model: ModelFile) -> Settings:
    """Return the settings in ``adapter_config.json`` beside `model`; none where there is no such.

    Raises:
        FormatError: it is no JSON.
        Incomplete: it cannot be read.
        Incompatible: it names modules by patterns that are more than paths.
    """
    path = model.path.with_name(_CONFIG) if model.path.name else model.path
    if is_remote(model.path) or not path.is_file():
        return settings_of({})
    with closing(open_input(path)) as file:
        return settings_of(strict_json.load(file, limit=_LIMIT))


def _path(pattern: str) -> str:
    path = pattern.removesuffix("$")
    if not _SIGNS.isdisjoint(path):
        raise Incompatible("lora.pattern_unclear", pattern=pattern)
    return path
