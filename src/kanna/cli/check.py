"""`kanna check`: what is wrong with a file, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from kanna import api
from kanna.api import Checked
from kanna.cli.check_report import document, report, sarif_document
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import common_exit_code, failed, print_json, print_notice
from kanna.cli.progress import Bar
from kanna.errors import KannaError, UsageError
from kanna.findings.values import PURPOSES, Purpose


@click.command("check", cls=Verb)
@files
@option("--for", "purpose", text="check.option_for", type=click.Choice(PURPOSES))
@option("--deep", text="check.option_deep", is_flag=True)
@option("--select", text="check.option_select", multiple=True, metavar="KN…")
@option("--ignore", text="check.option_ignore", multiple=True, metavar="KN…")
@option("--sarif", "as_sarif", text="check.option_sarif", is_flag=True)
@common
def check(
    files: tuple[Path, ...],
    *,
    purpose: Purpose | None,
    deep: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    as_sarif: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check every file; a broken one does not stop the others."""
    if as_json and as_sarif:
        raise UsageError("check.two_documents")
    settings = api.check_settings()
    documents: list[object] = []
    done: list[Checked] = []
    codes: list[int] = []
    for path in files:
        try:
            with Bar(path.name, hidden=quiet or as_json or as_sarif) as bar:
                checked = api.check(
                    path, purpose=purpose or settings.purpose, deep=deep,
                    select=select or settings.select, ignore=ignore or settings.ignore,
                    progress=bar,
                )  # fmt: skip
        except UsageError:
            raise
        except KannaError as error:
            codes.append(error.exit_code)
            documents.append(failed(path, error, as_json=as_json))
            continue
        documents.append(document(checked))
        codes += [1] * any(finding.severity != "note" for finding in checked.findings)
        if not (as_json or as_sarif or quiet):
            click.echo("\n" * bool(done) + "\n".join(report(checked, verbose=verbose)))
        done.append(checked)
    _print(documents, done, as_json=as_json, as_sarif=as_sarif)
    if not quiet and any(_hint(done, purpose or settings.purpose)):
        print_notice("check.no_purpose")
    return common_exit_code(codes)


def _print(
    documents: Sequence[object], done: Sequence[Checked], *, as_json: bool, as_sarif: bool
) -> None:
    if as_json:
        print_json(documents if len(documents) > 1 else documents[0])
    elif as_sarif:
        print_json(sarif_document(done))


def _hint(done: Sequence[Checked], purpose: Purpose | None) -> Iterator[bool]:
    """Whether a purpose would make warnings of notes."""
    if purpose is None:
        yield from (finding.aside for checked in done for finding in checked.findings)
