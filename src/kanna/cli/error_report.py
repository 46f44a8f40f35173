"""The error report as tables in the terminal: blocks, then the worst tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kanna.api import ErrorReport, ErrorRow, cosine_text, largest_text, percent
from kanna.cli.output import styled, table
from kanna.messages import say, shown

_MANY: Final = 24  # blocks that are shown without -v: the worst
_WORST: Final = 5


def error_lines(report: ErrorReport, *, verbose: bool) -> list[str]:
    """Return the lines of `report`: the whole, the worst blocks in file order, the worst tensors.

    With `verbose` they are all there.
    """
    heading = styled(say("error_report.heading"), "bold")
    if report.overall.exact:
        return [heading, "  " + say("error_report.nothing_lost")]
    blocks = report.blocks if verbose else _worst(report)
    rows = [_cells(row, shown(row.name)) for row in blocks]
    total = _cells(report.overall, say("error_report.overall"))
    lines = [heading, *table([_titles("error_report.column_block"), *rows, total], (1, 2, 3))]
    if hidden := len(report.blocks) - len(blocks):
        lines.append("  " + styled(say("error_report.more_blocks", count=hidden), "dim"))
    tensors = report.worst if verbose else report.worst[:_WORST]
    named = [_cells(row, shown(row.name)) for row in tensors]
    return [*lines, "", *table([_titles("error_report.column_tensor"), *named], (1, 2, 3))]


def _worst(report: ErrorReport) -> list[ErrorRow]:
    kept = {row.name for row in sorted(report.blocks, key=_error, reverse=True)[:_MANY]}
    return [row for row in report.blocks if row.name in kept]


def _error(row: ErrorRow) -> float:
    return float("inf") if row.relative_rms is None else row.relative_rms


def _titles(first: str) -> list[str]:
    columns: Iterable[str] = ("rms", "largest", "cosine")
    return [say(first), *(say(f"error_report.column_{column}") for column in columns)]


def _cells(row: ErrorRow, name: str) -> list[str]:
    if row.exact:
        return [name, say("error_report.exact"), "", ""]
    return [name, percent(row.relative_rms), largest_text(row.largest), cosine_text(row.cosine)]
