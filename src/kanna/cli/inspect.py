"""`kanna inspect`: what a file is."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.options import Verb, common, files, option
from kanna.cli.report import document, report


@click.command("inspect", cls=Verb)
@files
@option("--compare-ema", text="inspect.option_compare_ema", is_flag=True)
@common
def inspect(
    files: tuple[Path, ...], *, compare_ema: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Report on every file; a broken one does not stop the others."""
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    for path in files:
        with batch.attempt(path):
            found = api.inspect(path, compare_ema=compare_ema)
            batch.add(document(found), partial(report, found, verbose=verbose))
    return batch.close(several=len(files) > 1)
