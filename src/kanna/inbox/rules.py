"""What to do with each kind of model that lands: rules, given by options or as TOML.

::

    [any]                       # what no other section is about
    folder = "sorted"

    [checkpoint]
    for = "generation"          # a preset of kanna convert
    dtype = "bf16"              # instead of the preset's
    folder = "/models/Stable-diffusion"

    [lora]
    to = "safetensors"
    folder = "/models/Lora"

A kind is a word of the identity document. Without ``for``, ``dtype`` and ``to`` a model is put away
as it is. Relative folders begin at the folder of the rules.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kanna.disk import absolute
from kanna.errors import Incomplete, UsageError

ANY: Final = "any"
# The kinds that a preset is about; adapters and encoders are put away as they are.
CONVERTED: Final = ("checkpoint", "diffusion_model")
_KEYS: Final = ("for", "dtype", "to", "folder")
_LONGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of one kind: a preset, precision and container to convert to; a folder."""

    purpose: str | None = None
    dtype: str | None = None
    container: str | None = None
    folder: Path | None = None

    @property
    def converts(self) -> bool:
        """Whether anything is to be made of the file."""
        return any((self.purpose, self.dtype, self.container))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A rule for each kind, and one for all others."""

    by_kind: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    other: Rule = field(default_factory=Rule)

    def rule(self, kind: str) -> Rule:
        """Return the rule for a kind of model."""
        return self.by_kind.get(kind, self.other)

    def folders(self) -> list[Path]:
        """Return the folders that the rules name."""
        rules = (*self.by_kind.values(), self.other)
        return [rule.folder for rule in rules if rule.folder is not None]


def preset_rules(purpose: str | None) -> Rules:
    """Return the rules that take what holds a diffusion model through one preset."""
    rule = Rule(purpose=purpose)
    return Rules(by_kind=dict.fromkeys(CONVERTED, rule))


def read_rules(path: Path, kinds: tuple[str, ...], words: Mapping[str, tuple[str, ...]]) -> Rules:
    """Return the rules in a TOML file; `words` are those that each key takes, where it takes words.

    Raises:
        Incomplete: there is no such file.
        UsageError: it is no TOML, or says something that makes no sense.
    """
    try:
        raw = path.read_bytes()[: _LONGEST + 1]
        document = tomllib.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise Incomplete("disk.unreadable", path=path, reason=error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise UsageError("watch.rules_no_toml", path=path, reason=error) from error
    rules = {}
    for kind, section in document.items():
        if kind not in (*kinds, ANY) or not isinstance(section, dict):
            raise UsageError("watch.rules_kind", path=path, kind=kind, kinds=", ".join(kinds))
        rules[kind] = _rule(path, kind, section, words)
    other = rules.pop(ANY, Rule())
    return Rules(by_kind=rules, other=other)


def _rule(
    path: Path, kind: str, section: Mapping[str, object], words: Mapping[str, tuple[str, ...]]
) -> Rule:
    for key, value in section.items():
        if key not in _KEYS:
            keys = ", ".join(_KEYS)
            raise UsageError("watch.rules_key", path=path, kind=kind, name=key, keys=keys)
        allowed = words.get(key)
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            wanted = ", ".join(allowed) if allowed else '"…"'
            raise UsageError(
                "watch.rules_value", path=path, kind=kind, name=key, value=value, wanted=wanted
            )
    said = {key: str(value) for key, value in section.items()}
    folder = said.get("folder")
    return Rule(
        purpose=said.get("for"), dtype=said.get("dtype"), container=said.get("to"),
        folder=_folder(path, folder) if folder else None,
    )  # fmt: skip


def _folder(path: Path, said: str) -> Path:
    # Path.expanduser raises for a person who is not known
    return absolute(path.parent / os.path.expanduser(said))  # noqa: PTH111
