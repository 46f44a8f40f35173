"""`kanna library export`: the library's models as lists for people and programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.library_filters import AskingVerb, chosen, filters, with_gone
from kanna.cli.library_options import which_library
from kanna.cli.options import common, option
from kanna.cli.output import print_json, print_notice
from kanna.errors import UsageError
from kanna.messages import shown


@click.command("export", cls=AskingVerb, room="library_export")
@filters
@with_gone
@option("--to", "form", text="library_export.option_to", required=True,
        type=click.Choice(api.LIBRARY_FORMS))  # fmt: skip
@option("--sort", text="library_find.option_sort", type=click.Choice(api.SORTS), default="name")
@option("-o", "--output", text="library_export.option_output", type=click.Path(path_type=Path))
@option("--force", text="library_export.option_force", is_flag=True)
@option("--dry-run", text="library_export.option_dry_run", is_flag=True)
@which_library
@common
def export(
    words: tuple[str, ...], *, form: Any, sort: Any, output: Path | None, force: bool,
    dry_run: bool, library: Path | None, as_json: bool, quiet: bool, verbose: bool, **given: Any,
) -> int:  # fmt: skip
    """Write the list to a file, or print it."""
    del verbose
    if as_json and output is None:
        raise UsageError("library_export.json_where")
    text = api.library_export(form, chosen(words, given), sort=sort, library=library)
    if output is None:
        _print(text)
        return 0
    api.write_export(text, output, force=force, dry_run=dry_run)
    if as_json:
        size = len(text.encode("utf-8", "surrogateescape"))
        print_json({"output": str(output.absolute()), "form": form, "dry_run": dry_run,
                    "size": size})  # fmt: skip
    elif not quiet:
        print_notice("library_export.would" if dry_run else "library_export.written", path=output)
    return 0


def _print(text: str) -> None:
    """Print a list as it is; on a terminal, without what would steer it."""
    if sys.stdout.isatty():
        text = "".join(c if c.isprintable() or c in "\n\t" else shown(c) for c in text)
    click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
