"""Defaults that a person keeps in ``kanna.toml``, in the working folder or in the user's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.errors import UsageError
from kanna.findings.values import PURPOSES, Purpose

_NAME: Final = "kanna.toml"
_KEYS: Final = ("for", "select", "ignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """The section ``[check]``: the purpose, and which rules are asked."""

    purpose: Purpose | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def check_settings() -> CheckSettings:
    """Return the settings of the nearest ``kanna.toml``: the working folder's, else the user's.

    Raises:
        UsageError: the file cannot be read, or says something that makes no sense.
    """
    path = _nearest()
    if path is None:
        return CheckSettings()
    section = _section(path)
    for key in section:
        if key not in _KEYS:
            raise UsageError("check.settings_key", path=path, key=key, keys=", ".join(_KEYS))
    wanted = section.get("for")
    purpose = next((word for word in PURPOSES if word == wanted), None)
    if wanted is not None and purpose is None:
        raise UsageError("check.settings_value", path=path, key="for", value=wanted,
                         wanted=", ".join(PURPOSES))  # fmt: skip
    return CheckSettings(
        purpose=purpose, select=_codes(path, section, "select"),
        ignore=_codes(path, section, "ignore"),
    )  # fmt: skip


def _nearest() -> Path | None:
    here = Path(_NAME)
    if here.is_file():
        return here
    from platformdirs import user_config_path

    own = user_config_path("kanna", appauthor=False) / _NAME
    return own if own.is_file() else None


def _section(path: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError("check.settings_unreadable", path=path, reason=error) from None
    section = document.get("check", {})
    if not isinstance(section, dict):
        raise UsageError("check.settings_value", path=path, key="check", value=section,
                         wanted="[check]")  # fmt: skip
    return section


def _codes(path: Path, section: dict[str, object], key: str) -> tuple[str, ...]:
    value = section.get(key, [])
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UsageError("check.settings_value", path=path, key=key, value=value,
                         wanted='["KN2", "KN301"]')  # fmt: skip
    return tuple(words)
