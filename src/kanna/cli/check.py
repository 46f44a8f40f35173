"""`kanna check`: what is wrong with a file, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.api import Checked
from kanna.cli.batch import Batch
from kanna.cli.check_report import document, report, sarif_document
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import print_json, print_notice
from kanna.cli.progress import Bar
from kanna.errors import UsageError
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
    batch = Batch(as_json=as_json, quiet=quiet or as_sarif, spaced=True, misuse_stops=True)
    done: list[Checked] = []
    for path in files:
        with batch.attempt(path):
            with Bar(path.name, hidden=quiet or as_json or as_sarif) as bar:
                checked = api.check(
                    path, purpose=purpose or settings.purpose, deep=deep,
                    select=select or settings.select, ignore=ignore or settings.ignore,
                    progress=bar,
                )  # fmt: skip
            grave = any(finding.severity != "note" for finding in checked.findings)
            lines = partial(report, checked, verbose=verbose)
            batch.add(document(checked), lines, code=int(grave))
            done.append(checked)
    if as_sarif:
        print_json(sarif_document(done))
    if not quiet and any(_hint(done, purpose or settings.purpose)):
        print_notice("check.no_purpose")
    return batch.close(several=len(files) > 1)


def _hint(done: Sequence[Checked], purpose: Purpose | None) -> Iterator[bool]:
    """Whether a purpose would make warnings of notes."""
    if purpose is None:
        yield from (finding.aside for checked in done for finding in checked.findings)
