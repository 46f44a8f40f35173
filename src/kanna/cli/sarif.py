"""SARIF 2.1.0: what `scan` and `check` found, for code-scanning pipelines.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from kanna import __version__

Level = Literal["error", "warning", "note"]
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifRule:
    """A rule as pipelines show it: its code, its name, a line and a paragraph about it."""

    code: str
    name: str
    level: Level
    short: str
    full: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """One result: the rule's code, how grave it is here, a sentence, the file, a place in it.

    `offset` is a byte position in the file, or None.
    """

    code: str
    level: Level
    message: str
    path: Path
    offset: int | None = None


def sarif(rules: Sequence[SarifRule], results: Iterable[SarifResult]) -> dict[str, object]:
    """Return the SARIF document of one run."""
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    driver = {"name": "kanna", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    found = [_result(result, numbers[result.code]) for result in results]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": found}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: SarifRule) -> dict[str, object]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.short},
        "fullDescription": {"text": rule.full},
        "defaultConfiguration": {"level": rule.level},
    }


def _result(result: SarifResult, number: int) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": _uri(result.path)}}
    if result.offset is not None:
        place["region"] = {"byteOffset": result.offset}
    return {
        "ruleId": result.code,
        "ruleIndex": number,
        "level": result.level,
        "message": {"text": result.message},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: Path) -> str:
    """Return `path` as SARIF wants it: relative where it is, always with forward slashes."""
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix(), errors="surrogateescape")
