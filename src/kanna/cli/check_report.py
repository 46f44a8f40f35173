"""What `kanna check` prints: findings by severity, as a JSON document, as SARIF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kanna.api import Checked
from kanna.cli.output import command_line, styled, width, wrapped
from kanna.cli.sarif import SarifResult, SarifRule, sarif
from kanna.findings.rules import RULES
from kanna.findings.values import SEVERITIES, Finding, Severity
from kanna.identity import said
from kanna.messages import say, shown, size_text

_STYLES: Final = {"error": "red", "warning": "yellow", "note": "cyan"}
_MANY: Final = 20


def report(checked: Checked, *, verbose: bool = False) -> Iterator[str]:
    """Yield the report as lines; `verbose` adds why each finding matters, names and commands."""
    purpose = f"check.for_{checked.purpose or 'nothing'}"
    yield f"{styled(shown(checked.path), 'bold')}  {say(purpose)}"
    for severity in SEVERITIES:
        found = [finding for finding in checked.findings if finding.severity == severity]
        if found:
            yield f"  {styled(say(f'check.severity_{severity}'), _STYLES[severity], 'bold')}"
            yield from _lines(found, severity, verbose=verbose)
    yield from _summary(checked)


def document(checked: Checked) -> dict[str, object]:
    """Return the JSON document of one file."""
    return {
        "path": str(checked.path),
        "purpose": checked.purpose,
        "deep": checked.deep,
        "kind": checked.identity.kind,
        "architecture": checked.identity.architecture,
        "findings": [finding_document(finding) for finding in checked.findings],
        "fixable": len(checked.mendable),
        "bytes": checked.saving,
        "command": list(checked.command),
    }


def finding_document(finding: Finding) -> dict[str, object]:
    """Return the JSON form of a finding; `code`, `name` and `key` are stable."""
    return {
        "code": finding.rule.code,
        "name": finding.rule.name,
        "severity": finding.severity,
        "key": finding.note.key,
        "text": said(finding.note),
        "why": _text(finding, "why"),
        "fix": _text(finding, "fix"),
        "names": list(finding.names),
        "bytes": finding.bytes,
        "fixable": finding.repair is not None,
        "command": list(finding.command),
    }


def sarif_document(done: Sequence[Checked]) -> dict[str, object]:
    """Return one SARIF run over all files."""
    rules = [
        SarifRule(
            code=rule.code, name=rule.name, level=rule.severity,
            short=say(f"findings.{rule.code.lower()}_title"),
            full=say(f"findings.{rule.code.lower()}_why"),
        )
        for rule in RULES.values()
    ]  # fmt: skip
    results = [
        SarifResult(
            code=finding.rule.code, level=finding.severity, message=said(finding.note),
            path=checked.path,
        )
        for checked in done
        for finding in checked.findings
    ]  # fmt: skip
    return sarif(rules, results)


def _lines(found: Sequence[Finding], severity: Severity, *, verbose: bool) -> Iterator[str]:
    saved = [size_text(finding.bytes) if finding.bytes else "" for finding in found]
    room = max(map(width, saved))
    told: set[str] = set()
    for finding, size in zip(found, saved, strict=True):
        code = styled(finding.rule.code, _STYLES[severity])
        gap = " " * (room - width(size))
        yield f"    {code}  {gap}{size}{'  ' if room else ''}{wrapped(said(finding.note), 13)}"
        if verbose:
            yield from _details(finding, again=finding.rule.code in told)
            told.add(finding.rule.code)


def _details(finding: Finding, *, again: bool) -> Iterator[str]:
    """Yield why a finding matters, once for every rule, and the tensors that it is about."""
    if not again:
        for name in ("why", "fix"):
            yield f"           {styled(wrapped(_text(finding, name), 11), 'dim')}"
        if finding.command:
            yield f"           $ {command_line(finding.command)}"
    if len(finding.names) > 1:
        text = ", ".join(shown(name) for name in finding.names[:_MANY])
        more = len(finding.names) - _MANY
        text += say("check.more_names", count=more) if more > 0 else ""
        yield f"           {styled(wrapped(text, 11), 'dim')}"


def _summary(checked: Checked) -> Iterator[str]:
    if not checked.findings:
        yield f"  {styled(say('check.nothing'), 'green')}"
        return
    mendable, others = len(checked.mendable), len(checked.others)
    left = len(checked.findings) - mendable - others
    yield ""
    summary = say("check.summary", count=len(checked.findings))
    summary += say("check.summary_mendable", count=mendable) if mendable else ""
    yield "  " + summary + (say("check.summary_left", count=left) if left else "")
    if others:
        yield "  " + say("check.others", count=others)
    if checked.saving:
        yield "  " + say("check.saving", size=size_text(checked.saving))
    if checked.command:
        yield f"  $ {command_line(checked.command)}"


def _text(finding: Finding, what: str) -> str:
    return say(f"findings.{finding.rule.code.lower()}_{what}")
