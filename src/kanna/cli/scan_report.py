"""What `kanna scan` prints: lines for people, documents for programs, results for SARIF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kanna import api
from kanna.cli.output import styled, wrapped
from kanna.cli.sarif import Level, SarifResult, SarifRule
from kanna.identity import said
from kanna.messages import say, shown

_COLOURS: Final = {"clean": "green", "suspicious": "yellow", "dangerous": "red"}
_MARKS: Final = {"clean": "✓", "suspicious": "?", "dangerous": "✗"}
_LEVELS: Final[dict[str, Level]] = {
    "clean": "note",
    "suspicious": "warning",
    "dangerous": "error",
}
_MOST_SHOWN: Final = 12


def report(scan: api.Scan, *, verbose: bool) -> list[str]:
    """Return the lines about one file: the verdict, then the reasons."""
    word = styled(say(f"scan.{scan.verdict}"), _COLOURS[scan.verdict], "bold")
    lines = [f"{word}  {shown(scan.path)}"]
    if scan.what is not None and not any(threat.note == scan.what for threat in scan.threats):
        lines.append(f"  {wrapped(said(scan.what), 2)}")
    threats = scan.threats if verbose else scan.threats[:_MOST_SHOWN]
    lines.extend(line for threat in threats for line in _threat(scan, threat, verbose=verbose))
    if len(scan.threats) > len(threats):
        count = len(scan.threats) - len(threats)
        lines.append(f"  {say('scan.more_threats', count=count)}")
    if verbose:
        lines.extend(_details(scan))
    return lines


def _threat(scan: api.Scan, threat: api.Threat, *, verbose: bool) -> Iterator[str]:
    mark = styled(_MARKS[threat.verdict], _COLOURS[threat.verdict], "bold")
    where = _where(scan, threat)
    text = said(threat.note) + (f" [{where}]" if where else "")
    yield f"  {mark} {threat.code} {wrapped(text, 10)}"
    if verbose:
        yield f"      {styled(wrapped(api.SCAN_RULES[threat.code].why, 6), 'dim')}"


def _where(scan: api.Scan, threat: api.Threat) -> str:
    place = threat.place
    parts = []
    if place.member is not None:
        parts.append(shown(place.member))
    if place.path != scan.path:
        parts.insert(0, shown(_below(scan, threat)))
    if threat.position is not None and threat.name is not None:
        parts.append(say("scan.at_position", position=threat.position))
    elif place.offset and place.member is None:
        parts.append(say("scan.at_byte", offset=place.offset))
    return ", ".join(parts)


def _below(scan: api.Scan, threat: api.Threat) -> str:
    path = threat.place.path
    return path.relative_to(scan.path).as_posix() if path.is_relative_to(scan.path) else path.name


def _details(scan: api.Scan) -> Iterator[str]:
    yield f"  {say('scan.accounted', accounted=scan.accounted, size=scan.size)}"
    if scan.globals:
        yield f"  {say('scan.globals', count=len(scan.globals))}"
    for found in scan.globals:
        key = "scan.global_called" if found.called else "scan.global_named"
        mark = styled(_MARKS[found.verdict], _COLOURS[found.verdict])
        yield f"    {mark} {say(key, name=found.name)}"


def document(scan: api.Scan) -> dict[str, object]:
    """Return the JSON document of one scan; names of strangers are escaped in it, too."""
    return {
        "path": str(scan.path),
        "verdict": scan.verdict,
        "container": scan.container,
        "size": scan.size,
        "accounted": scan.accounted,
        "what": None if scan.what is None else said(scan.what),
        "files": [str(path) for path in scan.files],
        "threats": [_threat_document(threat) for threat in scan.threats],
        "globals": [
            {
                "name": shown(found.name),
                "verdict": found.verdict,
                "called": found.called,
                "position": found.position,
                **_place(found.place),
            }
            for found in scan.globals
        ],
    }


def _threat_document(threat: api.Threat) -> dict[str, object]:
    return {
        "code": threat.code,
        "rule": api.SCAN_RULES[threat.code].name,
        "verdict": threat.verdict,
        "key": threat.note.key,
        "text": said(threat.note),
        "name": None if threat.name is None else shown(threat.name),
        "position": threat.position,
        **_place(threat.place),
    }


def _place(place: api.Place) -> dict[str, object]:
    member = None if place.member is None else shown(place.member)
    return {"file": str(place.path), "member": member, "offset": place.offset}


def sarif_rules() -> list[SarifRule]:
    """Return the rules as SARIF wants them."""
    return [
        SarifRule(
            code=rule.code,
            name=rule.name,
            level=_LEVELS[rule.verdict],
            short=rule.title,
            full=rule.why,
        )
        for rule in api.SCAN_RULES.values()
    ]


def sarif_results(scans: Iterable[api.Scan]) -> Iterator[SarifResult]:
    """Yield every threat as a result; bytes count from the start of the file."""
    for scan in scans:
        for threat in scan.threats:
            place = threat.place
            text = said(threat.note)
            if place.member is not None:
                text = f"{shown(place.member)}: {text}"
            offset = place.offset
            if offset is not None and threat.position is not None:
                offset += threat.position
            yield SarifResult(
                code=threat.code,
                level=_LEVELS[threat.verdict],
                message=text,
                path=place.path,
                offset=offset,
            )
