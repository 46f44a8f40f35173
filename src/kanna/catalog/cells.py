"""Cells of tables that spreadsheets open: text in them is never run.

Spreadsheets run as a formula what stands in a cell behind such a sign, and strangers write prompts
and titles. The full-width signs are those that Japanese and Chinese keyboards give, which Excel
takes for the same. Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> object:
    """Return a value for a cell: text that would be run has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
