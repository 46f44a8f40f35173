"""The rules of `kanna scan`: stable codes, each with its verdict.

Every rule has the messages ``scan.CODE_title`` (a line) and ``scan.CODE_why`` (why it matters). The
first digit groups them: 1 what a pickle asks for, 2 containers, 3 content, 4 what lies around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kanna.messages import say
from kanna.scan.values import Verdict


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: a code that never changes, a name for programs, how grave it is."""

    code: str
    name: str
    verdict: Verdict

    @property
    def title(self) -> str:
        """What the rule finds, in a line, in the language in force."""
        return say(f"scan.{self.code.lower()}_title")

    @property
    def why(self) -> str:
        """Why that matters, in the language in force."""
        return say(f"scan.{self.code.lower()}_why")


_ROWS: Final = (
    Rule("KS101", "calls-unknown-code", "dangerous"),
    Rule("KS102", "names-unknown-code", "dangerous"),
    Rule("KS103", "foreign-class", "suspicious"),
    Rule("KS104", "computed-name", "dangerous"),
    Rule("KS105", "plants-attributes", "dangerous"),
    Rule("KS106", "unusual-use", "suspicious"),
    Rule("KS107", "unusual-instruction", "suspicious"),
    Rule("KS108", "broken-pickle", "suspicious"),
    Rule("KS109", "hidden-code", "dangerous"),
    Rule("KS110", "more-after-the-end", "suspicious"),
    Rule("KS111", "pickle-in-a-pickle", "suspicious"),
    Rule("KS112", "foreign-reference", "suspicious"),
    Rule("KS201", "readers-disagree", "suspicious"),
    Rule("KS202", "wrong-checksum", "suspicious"),
    Rule("KS203", "bytes-of-nothing", "suspicious"),
    Rule("KS204", "foreign-member", "suspicious"),
    Rule("KS205", "pickle-elsewhere", "suspicious"),
    Rule("KS206", "member-leads-outside", "suspicious"),
    Rule("KS207", "disguised-pickle", "suspicious"),
    Rule("KS208", "torchscript", "suspicious"),
    Rule("KS209", "two-formats", "suspicious"),
    Rule("KS301", "no-model", "suspicious"),
    Rule("KS302", "incomplete", "suspicious"),
    Rule("KS303", "breaks-rules", "suspicious"),
    Rule("KS304", "unreadable", "suspicious"),
    Rule("KS305", "too-much", "suspicious"),
    Rule("KS401", "yaml-python-tag", "dangerous"),
    Rule("KS402", "yaml-unusual", "suspicious"),
    Rule("KS403", "yaml-foreign-target", "suspicious"),
    Rule("KS404", "program-code", "suspicious"),
    Rule("KS405", "custom-code-hook", "suspicious"),
    Rule("KS406", "leads-outside", "dangerous"),
)
RULES: Final[dict[str, Rule]] = {rule.code: rule for rule in _ROWS}
