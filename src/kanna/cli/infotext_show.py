"""`kanna infotext show`: how pictures were made, for people, as JSON, or the text as it is."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.infotext_options import are_several, encoding_option, expanded, infotext_files
from kanna.cli.infotext_report import infotext_lines, whole
from kanna.cli.options import Verb, common, option
from kanna.errors import Incomplete


@click.command("show", cls=Verb, room="infotext_show")
@infotext_files
@option("-r", "--recursive", text="infotext.option_recursive", is_flag=True)
@option("--raw", text="infotext_show.option_raw", is_flag=True)
@option("--keyword", text="infotext_show.option_keyword", metavar="KEYWORD")
@option("--stealth", text="infotext.option_stealth", is_flag=True)
@encoding_option
@common
def show(
    files: tuple[Path, ...], *, recursive: bool, raw: bool, keyword: str | None, stealth: bool,
    encoding: str, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Show every file; a broken one does not stop the others."""
    raw = raw or keyword is not None
    batch = Batch(as_json=as_json and not raw, quiet=quiet or raw, spaced=True)
    for source in expanded(files, recursive=recursive):
        with batch.attempt(source.path):
            if raw:
                _print(api.raw_infotext(source.path, keyword, stealth=stealth))
                continue
            found = api.read_infotext(source.path, stealth=stealth, encoding=encoding)
            code = 0 if found.info is not None else Incomplete.exit_code
            lines = partial(infotext_lines, found, verbose=verbose)
            batch.add(api.infotext_document(found), lines, code=code)
    return batch.close(several=are_several(files))


def _print(data: bytes) -> None:
    """Print a text byte for byte; on a terminal, without what would steer it."""
    if sys.stdout.isatty():
        click.echo("\n".join(whole(data.decode("utf-8", "replace"))))
    else:
        click.echo(data, nl=False)
