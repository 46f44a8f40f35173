"""What is wrong with a file for a purpose, why that matters, and the command that mends it."""

from __future__ import annotations

from kanna.findings.values import Finding, Purpose, Repair, Rule, Severity

__all__ = ["Finding", "Purpose", "Repair", "Rule", "Severity"]
