"""`kanna inspect`: what a file is."""

from __future__ import annotations

from pathlib import Path

import click

from kanna import api
from kanna.cli.options import Verb, common, files, option
from kanna.cli.output import common_exit_code, failed, print_json
from kanna.cli.report import document, report
from kanna.errors import KannaError


@click.command("inspect", cls=Verb)
@files
@option("--compare-ema", text="inspect.option_compare_ema", is_flag=True)
@common
def inspect(
    files: tuple[Path, ...], *, compare_ema: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Report on every file; a broken one does not stop the others."""
    documents: list[object] = []
    codes: list[int] = []
    for number, path in enumerate(files):
        try:
            found = api.inspect(path, compare_ema=compare_ema)
        except KannaError as error:
            codes.append(error.exit_code)
            documents.append(failed(path, error, as_json=as_json))
            continue
        documents.append(document(found))
        if not as_json and not quiet:
            click.echo("\n" * (number > 0) + "\n".join(report(found, verbose=verbose)))
    if as_json:
        print_json(documents if len(files) > 1 else documents[0])
    return common_exit_code(codes)
