"""What is written beside a file that was set aside: why, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.errors import KannaError
from kanna.messages import say, shown

TEXT_SUFFIX: Final = ".report.txt"
JSON_SUFFIX: Final = ".report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a file was set aside: a stable key, one sentence on what is wrong, one on what to do."""

    key: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: KannaError) -> Reason:
        """Return the reason that an error is."""
        return cls(key=error.key, message=error.message, hint=error.hint)


def report_text(path: Path, when: str, reasons: Sequence[Reason]) -> bytes:
    """Return the report for people; `when` is a time as text."""
    lines = [say("watch.report_head", name=path.name, when=when), ""]
    for reason in reasons:
        lines += [f"- {shown(reason.message)}", *([f"  {reason.hint}"] if reason.hint else [])]
    return "\n".join([*lines, ""]).encode("utf-8", "backslashreplace")


def report_json(path: Path, when: str, reasons: Sequence[Reason]) -> bytes:
    """Return the report for programs."""
    document = {
        "path": str(path), "when": when,
        "reasons": [{"key": r.key, "message": r.message, "hint": r.hint} for r in reasons],
    }  # fmt: skip
    return (json.dumps(document, indent=1) + "\n").encode()
