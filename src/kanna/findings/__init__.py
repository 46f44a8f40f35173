"""What is wrong with a file for a purpose, why that matters, and the command that mends it.

::

    judging        `CHECKS`, all in one table, and `check`, which asks them of a subject
    rules          the codes, by chapter; their texts are messages
    values         rules, findings and repairs
    subject        a file before its judges, and how a finding is made
    facts          what others know of it: safety, the VAE inside, its numbers
      └ measuring      every number of the file, read once
    container (1)  completeness (2)  ema (3)  junk, precision (4)  numbers (5)  vae (6)
    prediction (7)  metadata, naming (8)                             the checks, by chapter
      ├ vae_number     four digits that tell a VAE
      └ file_names     file names that break no tool: what is wrong with one, and a better one
"""

from __future__ import annotations

from kanna.findings.file_names import fitting_stem
from kanna.findings.judging import CHECKS, check, command_for
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
