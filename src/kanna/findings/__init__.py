"""What is wrong with a file for a purpose, why that matters, and the command that mends it."""

from __future__ import annotations

from kanna.findings.judging import CHECKS, check, command_for
from kanna.findings.names import fitting_stem
from kanna.findings.rules import CHAPTERS, RULES
from kanna.findings.subject import Subject
from kanna.findings.values import PURPOSES, SEVERITIES, Finding, Purpose, Repair, Rule, Severity

__all__ = [
    "CHAPTERS",
    "CHECKS",
    "PURPOSES",
    "RULES",
    "SEVERITIES",
    "Finding",
    "Purpose",
    "Repair",
    "Rule",
    "Severity",
    "Subject",
    "check",
    "command_for",
    "fitting_stem",
]
