"""The pages of `kanna explain` as lines: families, parts, kinds of files, methods, findings."""

from __future__ import annotations

from collections.abc import Iterator

from kanna.api import KindPage, Page, PartPage, ScanRule
from kanna.cli.family_page import family_lines
from kanna.cli.method_page import method_lines
from kanna.cli.output import bracketed, styled
from kanna.cli.page_texts import place_texts, section, text_lines, titles
from kanna.cli.report import facts_lines
from kanna.families.dossier import Dossier
from kanna.families.pages import spoken
from kanna.families.places import UIS, Place, folders
from kanna.findings import Rule
from kanna.merging.method import Method
from kanna.messages import say, template


def page_lines(page: Page, *, verbose: bool = False) -> list[str]:
    """Return a page as lines."""
    match page:
        case Dossier():
            return family_lines(page, verbose=verbose)
        case PartPage():
            return _part_lines(page, verbose=verbose)
        case KindPage():
            return _kind_lines(page, verbose=verbose)
        case Rule():
            return _rule_lines(page)
        case ScanRule():
            return _scan_rule_lines(page)
        case Method():
            return method_lines(page)


def _part_lines(page: PartPage, *, verbose: bool) -> list[str]:
    place = page.place
    return [
        f"{styled(place.title, 'bold')}  {styled(say(f'inspect.part_{place.role}'), 'dim')}",
        *text_lines([spoken(place.note)] if place.note else []),
        "",
        *facts_lines(list(_part_rows(page, verbose=verbose))),
        *_folders(place.role),
    ]


def _part_rows(page: PartPage, *, verbose: bool) -> Iterator[list[str]]:
    yield [say("explain.row_word"), page.place.word]
    for number, text in enumerate(place_texts(page.place)):
        yield ["" if number else say("explain.row_files"), text]
    if page.needed_by:
        yield [say("explain.row_needed_by"), titles(page.needed_by, verbose=verbose)]


def _kind_lines(page: KindPage, *, verbose: bool) -> list[str]:
    names = [
        [word, _dialect(page.kind, word)] for word in page.dialects if page.dialect in {None, word}
    ]
    known = [[say("explain.row_families"), titles(page.families, verbose=verbose)]]
    blocks = [
        facts_lines(known) if page.families else [],
        section("dialects", names if any(text for _, text in names) else []),
        section("parts", [_place_row(place) for place in page.places]),
    ]
    heading = styled(say(f"inspect.part_{page.kind}"), "bold")
    lines = [
        f"{heading}  {styled(page.kind, 'dim')}",
        *text_lines([say(f"explain.kind_{page.kind}")]),
    ]
    for block in blocks:
        lines += ["", *block] if block else []
    return [*lines, *_folders(page.kind)]


def _place_row(place: Place) -> list[str]:
    return [place.title, place.files[0] if place.files else place.repository or ""]


def _rule_lines(rule: Rule) -> list[str]:
    key = f"findings.{rule.code.lower()}"
    purposes = [say(f"explain.purpose_{word}") for word in sorted(rule.purposes)]
    severity = say(f"explain.severity_{rule.severity}")
    if rule.deep:
        severity = bracketed(severity, say("explain.deep"))
    rows = [
        [say("explain.row_severity"), severity],
        [say("explain.row_purposes"), ", ".join(purposes) or say("explain.purpose_all")],
        [say("explain.row_why"), say(f"{key}_why")],
        [say("explain.row_fix"), say(f"{key}_fix")],
    ]
    heading = f"{styled(rule.code, 'bold')}  {styled(say(f'{key}_title'), 'bold')}"
    return [f"{heading}  {styled(rule.name, 'dim')}", "", *facts_lines(rows)]


def _scan_rule_lines(rule: ScanRule) -> list[str]:
    rows = [
        [say("explain.row_verdict"), say(f"scan.{rule.verdict}")],
        [say("explain.row_why"), rule.why],
    ]
    heading = f"{styled(rule.code, 'bold')}  {styled(rule.title, 'bold')}"
    return [f"{heading}  {styled(rule.name, 'dim')}", "", *facts_lines(rows)]


def _folders(kind: str) -> list[str]:
    rows = [[UIS[ui], folder] for ui, folder in folders(kind).items()]
    block = section("folders", rows) if rows else text_lines([say("explain.no_folder")])
    return ["", *block]


def _dialect(kind: str, word: str) -> str:
    """Return what a form of adapter is, where there is a text for it."""
    key = f"explain.dialect_{kind}_{word.replace('-', '_')}"
    try:
        template(key)
    except KeyError:
        return ""
    return say(key)
